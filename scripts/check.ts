/** `npm run check`: everything that is checked without running the product, one line each with its time. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { styleText } from 'node:util'
import { root } from './sources.ts'

interface Check {
  readonly name: string
  readonly command: readonly string[]
  /** What to do when it fails. */
  readonly remedy: string
  /** Not run, with the file's absence said, unless this exists. */
  readonly needs?: string
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'], remedy: 'mend the types; tsc is run by: npx tsc' },
  {
    name: 'format and lint',
    command: ['biome', 'check', '--error-on-warnings', '--max-diagnostics=20', '.'],
    remedy: 'npx biome check --write . mends most of it',
  },
  {
    name: 'import rules',
    command: ['node', 'scripts/check-imports.ts'],
    remedy: 'docs/architecture.md, "Rooms", says who may import whom',
  },
  { name: 'generated files', command: ['node', 'scripts/generate.ts', '--check'], remedy: 'npm run generate' },
  {
    name: 'OpenAPI',
    command: ['redocly', 'lint', 'schemas/openapi.json', '--format=stylish'],
    remedy: 'mend the route schemas, then npm run generate',
    needs: 'schemas/openapi.json',
  },
  {
    name: 'NL API Design Rules',
    command: ['node', 'scripts/check-openapi.ts'],
    remedy: 'mend the route schemas, then npm run generate',
    needs: 'schemas/openapi.json',
  },
  { name: 'unused code', command: ['knip'], remedy: 'remove what nobody uses, or use it' },
  { name: 'tidy', command: ['node', 'test/unit/tidy.test.ts'], remedy: 'the limits are in CONTRIBUTING.md' },
]

interface Result {
  readonly ok: boolean
  readonly output: string
  readonly seconds: string
}

async function run({ command, needs }: Check): Promise<Result> {
  const start = performance.now()
  const { promise, resolve } = Promise.withResolvers<Result>()
  let output = ''
  const done = (ok: boolean) => {
    resolve({ ok, output: output.trim(), seconds: ((performance.now() - start) / 1000).toFixed(1) })
  }
  if (needs !== undefined && !existsSync(root + needs)) {
    output = `${needs} is missing`
    done(false)
    return promise
  }
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${root}node_modules/.bin:${process.env['PATH']}`,
      // Checks talk to nobody.
      REDOCLY_TELEMETRY: 'off',
      REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  child.on('error', (error) => {
    output += error.message
    done(false)
  })
  child.on('close', (code) => done(code === 0))
  return promise
}

const wanted = process.argv.slice(2)
let failed = 0
for (const check of checks) {
  if (wanted.length > 0 && !wanted.some((word) => check.name.includes(word))) continue
  const { ok, output, seconds } = await run(check)
  const mark = ok ? styleText('green', 'ok    ') : styleText('red', 'FAILED')
  console.log(`${mark} ${check.name.padEnd(20)} ${seconds.padStart(5)} s`)
  if (ok) continue
  failed += 1
  console.log(`${output.replaceAll(/^/gm, '       ')}\n       → ${check.remedy}`)
}
console.log(failed === 0 ? 'all checks passed' : `${failed} of the checks failed`)
process.exitCode = failed === 0 ? 0 : 1
