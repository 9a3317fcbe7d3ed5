/** Checks who imports whom; proves on planted violations that it sees them, and that it looked at every file. */
import { pathToFileURL } from 'node:url'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { importRules } from './check/import-rules.ts'
import { checkSources } from './check/source-rules.ts'
import { filesUnder, root, typescriptFiles } from './sources.ts'

const planted = 'test/fixtures/bad-imports'

interface Outcome {
  /** One line a violation: `rule: from → to`. */
  readonly violations: string[]
  /** Names of the rules that were broken. */
  readonly broken: Set<string>
  readonly modules: number
}

async function look(base: string, files: readonly string[]): Promise<Outcome> {
  const folders = [...new Set(files.map((file) => file.split('/')[0] ?? ''))]
  const { output } = await cruise(folders, {
    baseDir: base,
    // TypeScript 7 has no programming interface; without this parser only one module would be seen.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: base === root ? `^${planted}/` : '^$' },
    validate: true,
    ruleSet: { forbidden: [...importRules] },
  })
  const { modules, summary } = output as ICruiseResult
  const found = summary.violations.map((v) => ({ rule: v.rule.name, text: `${v.from} → ${v.to}` }))
  for (const { rule, file, line, what } of checkSources(base, files)) {
    found.push({ rule, text: `${file}:${line} → ${what}` })
  }
  return {
    violations: found.map(({ rule, text }) => `${rule}: ${text}`).sort(),
    broken: new Set(found.map(({ rule }) => rule)),
    modules: modules.filter((m) => files.includes(m.source)).length,
  }
}

/** Returns what is wrong, one line each; nothing wrong is an empty list. */
export async function checkImports(): Promise<{ problems: string[]; summary: string }> {
  const files = typescriptFiles('services', 'schemas', 'scripts', 'test')
  const plantedFiles = filesUnder('.', `${root}${planted}`).filter((file) => file.endsWith('.ts'))
  const real = await look(root, files)
  const trial = await look(`${root}${planted}`, plantedFiles)
  const names = [...new Set([...importRules.map((rule) => rule.name ?? ''), 'no-wall-clock'])]
  const problems = [...real.violations]
  if (real.modules !== files.length) problems.push(`only ${real.modules} of ${files.length} files were looked at`)
  if (trial.modules !== plantedFiles.length) {
    problems.push(`only ${trial.modules} of the ${plantedFiles.length} files in ${planted} were looked at`)
  }
  for (const name of names) {
    if (!trial.broken.has(name)) problems.push(`${name}: its violation planted in ${planted} was not found`)
  }
  return { problems, summary: `${real.modules} modules, ${names.length} rules, each seen to work` }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { problems, summary } = await checkImports()
  console.log(problems.length === 0 ? summary : problems.join('\n'))
  process.exitCode = problems.length === 0 ? 0 : 1
}
