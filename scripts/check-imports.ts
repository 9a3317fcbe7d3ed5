/** Checks who imports whom; proves on planted violations that it sees them, and that it looked at every file. */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser'
import { importRules } from './check/import-rules.ts'
import { checkSources } from './check/source-rules.ts'
import { filesUnder, root, typescriptFiles } from './sources.ts'

const planted = 'test/fixtures/bad-imports'

interface Violation {
  readonly rule: string
  readonly file: string
  readonly what: string
}

interface Outcome {
  readonly violations: Violation[]
  /** How many of the files were looked at. */
  readonly modules: number
}

async function look(base: string, files: readonly string[]): Promise<Outcome> {
  const folders = [...new Set(files.map((file) => file.split('/')[0] ?? ''))]
  const options: ICruiseOptions = {
    baseDir: base,
    // TypeScript 7 has no programming interface; without this parser only one module would be seen.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    ...(base === root && { exclude: { path: `^${planted}/` } }),
    validate: true,
    ruleSet: { forbidden: [...importRules] },
  }
  const { output } = await cruise(folders, options, {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default', 'types'],
  })
  const { modules, summary } = output as ICruiseResult
  const imports = summary.violations.map((v) => ({ rule: v.rule.name, file: v.from, what: `imports ${v.to}` }))
  const texts = checkSources(base, files).map(({ rule, file, line, what }) => ({
    rule,
    file,
    what: `has ${what} on line ${line}`,
  }))
  return { violations: [...imports, ...texts], modules: modules.filter((m) => files.includes(m.source)).length }
}

/** The rule that a planted file says to break in its first line, if any. */
function promisedRule(file: string): string | undefined {
  return /^\/\*\* ([a-z-]+): /.exec(readFileSync(`${root}${planted}/${file}`, 'utf8'))?.[1]
}

/** Returns what is wrong, one line each; nothing wrong is an empty list. */
export async function checkImports(): Promise<{ problems: string[]; summary: string }> {
  const files = typescriptFiles('services', 'schemas', 'scripts', 'test')
  const plantedFiles = filesUnder('.', `${root}${planted}`).filter((file) => file.endsWith('.ts'))
  const real = await look(root, files)
  const trial = await look(`${root}${planted}`, plantedFiles)
  const names = new Set([...importRules.map((rule) => rule.name ?? ''), 'no-wall-clock'])
  const problems = real.violations.map(({ rule, file, what }) => `${rule}: ${file} ${what}`).sort()
  if (real.modules !== files.length) problems.push(`only ${real.modules} of ${files.length} files were looked at`)
  if (trial.modules !== plantedFiles.length) {
    problems.push(`only ${trial.modules} of the ${plantedFiles.length} files in ${planted} were looked at`)
  }
  const unproven = new Set(names)
  for (const file of plantedFiles) {
    const rule = promisedRule(file)
    if (rule === undefined) continue
    if (trial.violations.some((v) => v.rule === rule && v.file === file)) unproven.delete(rule)
    else problems.push(`${rule}: the violation planted in ${planted}/${file} was not found`)
  }
  for (const rule of unproven) problems.push(`${rule}: no violation of it is planted in ${planted}`)
  return { problems, summary: `${real.modules} modules, ${names.size} rules, each seen to work` }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { problems, summary } = await checkImports()
  console.log(problems.length === 0 ? summary : problems.join('\n'))
  process.exitCode = problems.length === 0 ? 0 : 1
}
