/** What every source file must be, whatever it does: small, narrow, explained, and about the product alone. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { missingFromLock } from '../../scripts/complete-lock.ts'
import { filesUnder, root, typescriptFiles } from '../../scripts/sources.ts'

const limits = { fileLines: 400, functionLines: 70, columns: 130, medianLines: 120, ninthDecileLines: 300 }
/** A list of routes and a test are read from the top like a table; a statement of SQL stands as it would in psql. */
const tableFunctionLines = 150
const storeColumns = 170

const all = filesUnder('.').filter((file) => !/^test\/fixtures\/|^\.tap\/|\.log$/.test(file))
const product = typescriptFiles('services', 'schemas')
const typescript = typescriptFiles('services', 'schemas', 'scripts', 'test', 'deploy')
const generatedOrForeign =
  /^(package-lock\.json|LICENSE|schemas\/openapi\.json|deploy\/grafana\/|test\/clusters\/go\.)|\/data\//
const ours = all.filter(
  (file) => /\.(ts|sql|md|json|ya?ml|sh|tpl|mod)$|\/run$|Dockerfile$/.test(file) && !generatedOrForeign.test(file),
)

const cache = new Map<string, string>()
const textOf = (file: string): string => {
  const text = cache.get(file) ?? readFileSync(join(root, file), 'utf8')
  cache.set(file, text)
  return text
}
const linesOf = (file: string): string[] => textOf(file).replace(/\n$/, '').split('\n')

/** `file:line text` of each line that matches, this file with its list of words excepted. */
const linesWith = (files: readonly string[], pattern: RegExp): string[] =>
  files
    .filter((file) => file !== 'test/unit/tidy.test.ts')
    .flatMap((file) =>
      linesOf(file).flatMap((line, index) =>
        pattern.test(line) ? [`${file}:${index + 1} ${line.trim().slice(0, 90)}`] : [],
      ),
    )

t.test('files are small', async (t) => {
  const lengths = new Map(typescript.map((file) => [file, linesOf(file).length]))
  const long = [...lengths].filter(([, length]) => length > limits.fileLines)
  t.same(long, [], `at most ${limits.fileLines} lines`)
  const sorted = product.map((file) => lengths.get(file) ?? 0).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  t.ok(at(0.5) <= limits.medianLines, `median ${at(0.5)} lines`)
  t.ok(at(0.9) <= limits.ninthDecileLines, `nine of ten files have at most ${at(0.9)} lines`)
})

t.test('functions fit on a screen', async (t) => {
  const long = typescript.flatMap((file) => {
    const lines = linesOf(file)
    const limit = /\/routes\.ts$|^test\//.test(file) ? tableFunctionLines : limits.functionLines
    return lines.flatMap((line, index) => {
      // Formatted code closes an outermost function in the first column.
      if (!/^(export )?(default )?(async )?(function\b|const \w+ = (async )?(\(|\w+ =>))/.test(line)) return []
      if (/^(export )?const/.test(line) && !/=>/.test(lines.slice(index, index + 8).join(' '))) return []
      const length = lines.slice(index + 1).findIndex((l) => /^\S/.test(l) && !/^\)/.test(l)) + 2
      return length > limit ? [`${file}:${index + 1} has ${length} lines`] : []
    })
  })
  t.same(long, [], `at most ${limits.functionLines} lines`)
})

t.test('lines are narrow', async (t) => {
  const wide = typescript.flatMap((file) => {
    const limit = file.endsWith('/store.ts') ? storeColumns : limits.columns
    return linesOf(file).flatMap((line, index) => ([...line].length > limit ? [`${file}:${index + 1}`] : []))
  })
  t.same(wide, [], `at most ${limits.columns} columns`)
  t.same(linesWith(typescript, /[ \t]$/), [], 'nothing after the last word')
})

t.test('every file says first what it is for', async (t) => {
  const silent = typescript.filter((file) => !/^(#!.*\n)?\/\*\*\s/.test(textOf(file)))
  t.same(silent, [], 'a doc comment in the first line')
})

t.test('nothing is left for later without a decision that says so', async (t) => {
  t.same(linesWith(ours, /\b(TODO|FIXME|XXX|HACK)\b(?!.*ADR-\d{4})/), [])
  t.same(linesWith(typescript, /@ts-ignore|\bas any\b|catch(\s*\([^)]*\))?\s*\{\s*\}|biome-ignore-all/), [])
  t.same(
    linesWith(product, /console\.log|debugger/).filter((line) => !line.startsWith('services/cli/')),
    [],
  )
  t.same(
    linesWith(
      typescript.filter((f) => f.startsWith('test/')),
      /\bt\.only\(|\.only:|\{ only: true/,
    ),
    [],
  )
})

t.test('the repository knows no machine and no registry, and its lock file is whole', async (t) => {
  t.same(linesWith(ours, /(^|[\s'"`(=:])\/(work|root|home|Users)\//), [], 'no path of one machine')
  t.same(linesWith(ours, /registry\.npmjs|npmjs\.org|proxy\.golang|goproxy|artifactory|nexus\./i), [], 'no registry')
  t.notMatch(textOf('package-lock.json'), /"resolved": "https?:/, 'no addresses in the lock file')
  const missing = missingFromLock(JSON.parse(textOf('package-lock.json'))).map(({ name }) => name)
  t.same(missing, [], 'npm ci works everywhere; node scripts/complete-lock.ts adds what npm left out')
  t.same(linesWith(ours, /-----BEGIN [A-Z ]*PRIVATE KEY-----\S|\bghp_|\bnpm_[A-Za-z0-9]{30}/), [], 'no secrets')
})

t.test('every decision is numbered, listed and one page', async (t) => {
  const files = all.filter((file) => /^docs\/adr\/(?!README)/.test(file))
  const index = textOf('docs/adr/README.md')
  t.ok(files.length > 0)
  t.same(
    files.filter((file) => !/^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/.test(file)),
    [],
    'NNNN-title.md',
  )
  t.same(
    files.filter((file) => !index.includes(`(${file.slice('docs/adr/'.length)})`)),
    [],
    'linked from the index',
  )
  t.same(
    files.filter((file) => linesOf(file).length > 60),
    [],
    'one page',
  )
  const numbers = files.map((file) => Number(file.slice(9, 13)))
  t.same(
    numbers,
    numbers.map((_, i) => i + 1),
    'no number twice or left out',
  )
  const named = [
    ...new Set(ours.flatMap((file) => [...textOf(file).matchAll(/\bADR-(\d{4})\b/g)].map((m) => Number(m[1])))),
  ]
  t.same(
    named.filter((number) => !numbers.includes(number)),
    [],
    'a decision that is named exists',
  )
})

t.test('links between documents lead somewhere', async (t) => {
  const broken = ours
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [
        ...textOf(file)
          .replace(/```[\s\S]*?```/g, '')
          .matchAll(/\]\(([^)\s]+)\)/g),
      ]
        .map((match) => (match[1] ?? '').split('#')[0] ?? '')
        .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
        .filter((link) => !existsSync(join(root, normalize(join(dirname(file), link)))))
        .map((link) => `${file} → ${link}`),
    )
  t.same(broken, [])
})
