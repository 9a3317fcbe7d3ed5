/** `npm test`: runs every test that this machine can run, and says at the end what it could not and why. */
import { randomUUID } from 'node:crypto'
import { styleText } from 'node:util'
import { type Group, testGroups } from './test/groups.ts'
import { end, markedProcesses, processesRunning } from './test/processes.ts'
import { type FileResult, runFile } from './test/run-file.ts'

const usage = `npm test [-- [--quick] [WORD...]]

  npm test                     all that this machine can run
  npm test -- --quick          unit and api, the inner loop
  npm test -- api hostings     the files whose path has one of the words

It ends with \`N passed, N failed, N skipped\`. Counted are the outermost tests of each file; a group that cannot run
counts each of its files as skipped, and with CI=true as failed.`

const quickGroups = new Set(['unit', 'api'])
const runId = randomUUID()
const inCi = process.env['CI'] === 'true'
const running = new Map<string, number>()
const results: FileResult[] = []

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const unknown = process.argv.slice(2).filter((word) => word.startsWith('-') && word !== '--quick')
const quick = process.argv.includes('--quick')

async function wantedGroups(): Promise<Group[]> {
  const matches = (file: string) => words.length === 0 || words.some((word) => file.includes(word))
  return (await testGroups())
    .filter(({ name }) => !quick || quickGroups.has(name))
    .map((group) => ({ ...group, files: group.files.filter(matches) }))
    .filter(({ files }) => files.length > 0)
}

async function runGroup(group: Group): Promise<void> {
  try {
    await group.prepare?.()
  } catch (error) {
    const output = `not run, because what the group needs could not be made: ${(error as Error).message}`
    const nothing = { passed: 0, failed: 1, skipped: [], complete: false, seconds: 0, output }
    for (const file of group.files) {
      results.push({ ...nothing, file })
      report({ ...nothing, file })
    }
    return
  }
  const own = new Set([...group.measuring, ...group.waiting])
  const others = group.files.filter((file) => !own.has(file))
  const waiting = group.files.filter((file) => group.waiting.includes(file))
  const measuring = group.files.filter((file) => group.measuring.includes(file))
  const lanes = Array.from({ length: group.atOnce }, () => () => others.shift() ?? waiting.shift())
  if (waiting.length > 0) lanes.push(() => waiting.shift())
  await runFiles(group, lanes)
  await runFiles(group, [() => measuring.shift()])
}

/** Each lane runs one file after the other, as long as it is given one. */
async function runFiles({ timeoutSeconds }: Group, lanes: readonly (() => string | undefined)[]): Promise<void> {
  const worker = async (next: () => string | undefined) => {
    for (let file = next(); file !== undefined; file = next()) {
      running.set(file, performance.now())
      const result = await runFile(file, timeoutSeconds, runId)
      running.delete(file)
      results.push(result)
      report(result)
    }
  }
  await Promise.all(lanes.map(worker))
}

function report({ file, passed, failed, skipped, seconds, output }: FileResult): void {
  clearStatus()
  const mark = failed > 0 ? styleText('red', 'FAILED') : styleText('green', 'ok    ')
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
  console.log(`${mark} ${file.padEnd(48)} ${String(passed).padStart(3)} passed${skips}  ${seconds.toFixed(1)} s`)
  if (failed > 0) console.log(output.replaceAll(/^/gm, '    '))
}

/** On a terminal one line that lives; elsewhere a line now and then, so that a log shows where it stands. */
function showStatus(): void {
  const now = performance.now()
  const shown = [...running].map(([file, since]) => `${file} ${Math.round((now - since) / 1000)} s`)
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K  … ${shown.join(', ')}`.slice(0, process.stdout.columns))
  else for (const line of [...running].filter(([, since]) => now - since > 30_000)) console.log(`  … ${line[0]} runs`)
}

function clearStatus(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K')
}

/** Ends what this run left, and the PostgreSQL that test files share, unless somebody else is testing with it. */
async function stopEverything(): Promise<void> {
  await end(() => markedProcesses('TEST_RUN_OF_GEMEENTECLOUD', runId))
  const usedStore = results.some(({ file }) => !file.startsWith('test/unit/'))
  if (!usedStore || processesRunning('.test.ts').length > 0) return
  const { stopTestServer } = await import('../test/support/database.ts')
  await stopTestServer()
}

function summary(groups: readonly Group[]): boolean {
  let passed = 0
  let failed = 0
  const skipped: string[] = []
  for (const result of results) {
    passed += result.passed
    failed += result.failed
    skipped.push(...result.skipped.map((reason) => `${result.file}: ${reason}`))
  }
  for (const { name, files, missing } of groups) {
    if (missing === undefined) continue
    if (inCi) {
      failed += files.length
      console.log(`FAILED ${name}: must run with CI=true, but ${missing}`)
    } else {
      skipped.push(...files.map((file) => `${file}: ${missing}`))
    }
  }
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`)
  const failures = results.filter((result) => result.failed > 0)
  if (failures.length > 0) console.log(`\nfailed:\n${failures.map(({ file }) => `  node ${file}`).join('\n')}`)
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  return failed === 0 && passed > 0
}

if (process.argv.includes('--help')) {
  console.log(usage)
  process.exit(0)
}
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}\n\n${usage}`)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void stopEverything().finally(() => process.exit(130))
  })
}
const groups = await wantedGroups()
const status = setInterval(showStatus, process.stdout.isTTY ? 500 : 30_000)
for (const group of groups) if (group.missing === undefined) await runGroup(group)
clearInterval(status)
clearStatus()
await stopEverything()
process.exitCode = summary(groups) ? 0 : 1
