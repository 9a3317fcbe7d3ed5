/** Finds and ends what tests leave running, by a mark in the environment that every child inherits. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Process {
  readonly pid: number
  readonly command: string
}

/** Processes with `name=value` in the environment they were started with. Linux only; elsewhere none is found. */
export function markedProcesses(name: string, value: string): Process[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      const environment = procFile(pid, 'environ')
      if (!environment.includes(`${name}=${value}`) || procFile(pid, 'stat').includes(') Z ')) return []
      return [{ pid: Number(pid), command: procFile(pid, 'cmdline').join(' ').trim() }]
    })
}

/** Processes whose command has the words. Linux only; elsewhere none is found. */
export function processesRunning(words: string): Process[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => ({ pid: Number(pid), command: procFile(pid, 'cmdline').join(' ').trim() }))
    .filter(({ command }) => command.includes(words))
}

/** A process may end between the listing and the reading, or be another user's. */
function procFile(pid: string, file: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
    return file === 'stat' ? [text.slice(text.lastIndexOf(')'), text.lastIndexOf(')') + 4)] : text.split('\0')
  } catch {
    return []
  }
}

/** Asks the processes to stop, waits up to three seconds, then kills. PostgreSQL takes SIGINT as a fast shutdown. */
export async function end(find: () => Process[]): Promise<void> {
  signalAll(find(), 'SIGINT')
  for (let tries = 0; tries < 30 && find().length > 0; tries++) await sleep(100)
  signalAll(find(), 'SIGKILL')
}

function signalAll(processes: readonly Process[], signal: 'SIGINT' | 'SIGKILL'): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
