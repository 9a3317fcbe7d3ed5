/** The guard of a node as a program, on a node that the test plays: its runtime, its boot, its disk and its watchdog. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { startCri } from './cri.ts'
import { temporaryFolder } from './folder.ts'
import { guardKey } from './guard-agent.ts'
import { until } from './until.ts'

const main = fileURLToPath(new URL('../../services/agent/guard/main.ts', import.meta.url))

/** The guard is not started yet; it will ask at this port, with `guardKey`. `within` comes before its command line. */
export async function createPlayedNode(
  t: Pick<Test, 'teardown'>,
  name: string,
  port: number,
  within: readonly string[] = [],
) {
  const folder = temporaryFolder('guard')
  t.teardown(() => folder.remove())
  const at = (file: string) => join(folder.path, file)
  const cri = await startCri(folder.path)
  t.teardown(() => cri.close())
  writeFileSync(at('key'), guardKey)
  writeFileSync(at('watchdog'), '')
  mkdirSync(at('proc/sys/kernel/random'), { recursive: true })
  symlinkSync('/proc/uptime', at('proc/uptime'))
  const boot = (id: string) => writeFileSync(at('proc/sys/kernel/random/boot_id'), `${id}\n`)
  boot('boot-1')
  let child: ChildProcess | undefined
  const said: string[] = []
  const end = async (signal: NodeJS.Signals) => {
    const gone = child && child.exitCode === null && once(child, 'exit')
    child?.kill(signal)
    await gone
  }
  t.teardown(() => end('SIGKILL'))
  const begin = async () => {
    const [program = '', ...args] = [...within, process.execPath, main]
    child = spawn(program, args, {
      env: {
        PATH: process.env.PATH,
        NODE_NAME: name,
        AGENT_ADDRESS: `127.0.0.1:${port}`,
        GUARD_KEY_FILE: at('key'),
        RUNTIME_SOCKET: cri.socket,
        GUARD_DATA: at('data'),
        WATCHDOG: at('watchdog'),
        HOST_PROC: at('proc'),
        MANAGEMENT_PORT: '0',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    child.stderr?.setEncoding('utf8').on('data', (more) => {
      text += more
      said.push(more)
    })
    await until(() => text.includes('"started"'), 'the guard to start')
  }
  const management = () => /"management":(\d+)/.exec(said.join(''))?.[1]
  return {
    at,
    cri,
    boot,
    said,
    begin,
    end,
    signal: (signal: NodeJS.Signals) => child?.kill(signal),
    ready: async () => (await fetch(`http://127.0.0.1:${management()}/readyz`)).status,
    pats: () => readFileSync(at('watchdog'), 'utf8'),
    runs: (pod: string, wanted = true) =>
      until(() => cri.running().includes(pod) === wanted, `${pod} to run: ${wanted}`),
  }
}
