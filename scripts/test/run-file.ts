/** Runs one test file as a process of its own, with a time limit, and leaves nothing of it behind. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../sources.ts'
import { end, markedProcesses } from './processes.ts'
import { readTap, type TapResult } from './tap-result.ts'

export interface FileResult extends TapResult {
  readonly file: string
  readonly seconds: number
  /** All that it printed. */
  readonly output: string
}

const mark = 'TEST_FILE_OF_GEMEENTECLOUD'
let count = 0

/**
 * A file fails when a test of it fails, when it ends early or badly, takes too long, or leaves a process running. What
 * is meant to outlive a file, such as a PostgreSQL that several share, is started without TEST_FILE_OF_GEMEENTECLOUD. A
 * file that hangs is stopped from outside `graceSeconds` after tap should have stopped it.
 */
export async function runFile(
  file: string,
  timeoutSeconds: number,
  runId: string,
  graceSeconds = 10,
): Promise<FileResult> {
  const start = performance.now()
  const id = `${runId}-${++count}`
  const child = spawn(process.execPath, [file], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // tap's own limit comes first, because it says where the file stood.
    env: {
      // A broker's hundreds of modules are compiled once and not again for each of the files, and of the processes they start.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
      ...process.env,
      TEST_RUN_OF_GEMEENTECLOUD: runId,
      [mark]: id,
      TAP_TIMEOUT: String(timeoutSeconds),
      NO_COLOR: '1',
      FORCE_COLOR: undefined,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exit = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? code}`))
  })
  const limit = new AbortController()
  const late = sleep((timeoutSeconds + graceSeconds) * 1000, `took over ${timeoutSeconds} s`, { signal: limit.signal })
  let trouble = await Promise.race([exit, late.catch(() => '')])
  limit.abort()
  const left = await leftovers(id)
  if (left.length > 0 && trouble === '') trouble = `left running: ${left.join('; ')}`
  await end(() => markedProcesses(mark, id))
  killGroup(child.pid)
  const tap = readTap(output)
  if (trouble === '' && !tap.complete) trouble = 'ended before its plan was done'
  const hidden = trouble !== '' && tap.failed === 0
  return {
    ...tap,
    failed: hidden ? 1 : tap.failed,
    file,
    seconds: (performance.now() - start) / 1000,
    output: trouble === '' ? output : `${output}\n# ${file}: ${trouble}\n`,
  }
}

/** What still runs a second after the file ended; children that are just stopping get that long. */
async function leftovers(id: string): Promise<string[]> {
  for (let tries = 0; tries < 10 && markedProcesses(mark, id).length > 0; tries++) await sleep(100)
  return markedProcesses(mark, id).map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`)
}

/** Where there is no /proc, what stayed in the file's process group is ended at least. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === 'linux') return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
