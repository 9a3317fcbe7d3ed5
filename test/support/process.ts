/** The all-in-one as a real process: started, asked, killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LocalAccess } from '../../services/shared/local-access.ts'

export interface RunningBroker {
  readonly api: string
  readonly management: string
  readonly gateway: { readonly url: string; readonly ca: string }
  readonly tokens: LocalAccess['tokens']
  /** All it has printed so far. */
  readonly output: () => string
  readonly process: ChildProcess
  /** Ends it by a signal and waits until it is gone; SIGTERM is the gentle way. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>
}

/** What `npm start` runs. */
export const mainFile = fileURLToPath(new URL('../../services/main.ts', import.meta.url))

/** Starts `npm start` without npm on free ports; rejects with what it printed when it ends before it is ready. */
export function startProcess(
  dataDirectory: string,
  flags: readonly string[] = ['--empty'],
  env: Record<string, string> = {},
): Promise<RunningBroker> {
  const child = spawn(process.execPath, [mainFile, ...flags], {
    env: {
      ...process.env,
      PORT: '0',
      MANAGEMENT_PORT: '0',
      TUNNEL_PORT: '0',
      GATEWAY_PORT: '0',
      GEMEENTECLOUD_DATA: dataDirectory,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const gone = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return new Promise((resolve, reject) => {
    const listen = (chunk: string) => {
      output += chunk
      const management = /metrics +(\S+)\/metrics/.exec(output)?.[1]
      if (!output.includes('is ready') || management === undefined || !/data +\S+/.test(output)) return
      const access = JSON.parse(readFileSync(join(dataDirectory, 'access.json'), 'utf8')) as LocalAccess
      resolve({
        api: access.api,
        management,
        gateway: access.gateway ?? { url: '', ca: '' },
        tokens: access.tokens,
        output: () => output,
        process: child,
        end: (signal) => {
          child.kill(signal)
          return gone
        },
      })
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    gone.then((code) => reject(new Error(`ended with ${code} before it was ready:\n${output}`)))
  })
}
