/** Writes what is generated, or with --check says what is stale: every generated file is committed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './sources.ts'

interface Generator {
  /** Relative to the root. */
  readonly file: string
  /** The file's text. Imports lazily, so that one broken source does not stop the others. */
  readonly make: () => Promise<string>
}

const generators: readonly Generator[] = [
  { file: 'schemas/openapi.json', make: async () => (await import('./generate/openapi.ts')).openApiDocument() },
  { file: 'docs/problems.md', make: async () => (await import('./generate/problems.ts')).problemsPage() },
  { file: 'docs/metrics.md', make: async () => (await import('./generate/metrics.ts')).metricsPage() },
  {
    file: 'deploy/grafana/dashboards/federation.json',
    make: async () => (await import('./generate/dashboards.ts')).federationDashboard(),
  },
  { file: 'charts/gemeentecloud/README.md', make: async () => (await import('./generate/values.ts')).valuesPage() },
]

/** Names of the generated files that are not as they would be made now, with the reason; none is an empty list. */
export async function staleFiles(): Promise<string[]> {
  const stale: string[] = []
  for (const { file, make } of generators) {
    try {
      const now = existsSync(root + file) ? readFileSync(root + file, 'utf8') : undefined
      if (now === undefined) stale.push(`${file} is missing`)
      else if (now !== (await make())) stale.push(`${file} is not what would be generated now`)
    } catch (error) {
      stale.push(`${file} cannot be generated: ${(error as Error).message}`)
    }
  }
  return stale
}

async function writeAll(): Promise<void> {
  for (const { file, make } of generators) {
    const text = await make()
    const changed = !existsSync(root + file) || readFileSync(root + file, 'utf8') !== text
    if (changed) {
      mkdirSync(dirname(root + file), { recursive: true })
      writeFileSync(root + file, text)
    }
    console.log(`${changed ? 'wrote    ' : 'unchanged'} ${file}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--check')) {
    const stale = await staleFiles()
    for (const line of stale) console.log(line)
    if (stale.length > 0) console.log('Run: npm run generate')
    process.exitCode = stale.length === 0 ? 0 : 1
  } else {
    await writeAll()
  }
}
