/** The processes of test clusters: started with a log, ended with kill -9, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './wait.ts'

export interface Running {
  readonly isRunning: () => boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

const alive = new Set<ChildProcess>()

/** Starts a program whose output goes to the end of `log`. */
export function start(program: string, args: readonly string[], log: string, cwd: string): Running {
  watchOurEnd()
  const output = openSync(log, 'a')
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, HOME: cwd },
  })
  closeSync(output)
  alive.add(child)
  const ended = new Promise<void>((resolve) => {
    const gone = () => {
      alive.delete(child)
      resolve()
    }
    child.once('exit', gone).once('error', gone)
  })
  return {
    isRunning: () => alive.has(child),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

let watching = false

/** Whatever ends this process, short of a kill -9 of itself, ends what it started. */
function watchOurEnd(): void {
  if (watching) return
  watching = true
  const killAll = () => {
    for (const child of alive) child.kill('SIGKILL')
  }
  process.once('exit', killAll)
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      killAll()
      process.exit(128 + number)
    })
  }
}

const prefix = 'gemeentecloud-clusters-'

/** Where one process keeps its clusters: the name says whose they are. */
export const ourFolderPrefix = join(tmpdir(), `${prefix}${process.pid}-`)

/** Ends and removes what an earlier process left that was itself killed with -9. */
export function sweepLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN
    if (!Number.isInteger(owner) || commandOf(owner) !== '') continue
    const folder = join(tmpdir(), name)
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      if (commandOf(Number(pid)).includes(`${folder}/`)) process.kill(Number(pid), 'SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The command line of a process, empty when there is none with this number. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

const given = new Set<number>()

/** Ports of loopback that nobody listens on and that no other caller in this process was given. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = await listenOnce(0)
    if (given.has(port)) continue
    given.add(port)
    ports.push(port)
  }
  return ports
}

/** An apiserver that finds its port in use exits at once: wait until a listener could have it. */
export async function portsAreFree(ports: readonly number[], address?: string): Promise<void> {
  for (const port of ports) await until(`port ${port} to be free`, 30_000, () => listenOnce(port, address))
}

/** Listens for a moment and says on which port; rejects when it is in use. */
async function listenOnce(port: number, address = '127.0.0.1'): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, address, resolve)
  })
  const taken = (server.address() as AddressInfo).port
  await new Promise((resolve) => server.close(resolve))
  return taken
}
