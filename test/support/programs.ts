/** Programs of ours as processes: started, ready by what they log, and ended. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export interface Program {
  /** What its line `ready` names, such as its addresses. */
  readonly ready: Readonly<Record<string, string>>
  /** All it has logged so far. */
  output(): string
  /** Resolves with its exit code, or null after a signal that ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** Starts `services/…` with this environment and no other; ended with the test. Rejects when it ends before it is ready. */
export function startProgram(
  t: Pick<Test, 'teardown'>,
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const gone = new Promise<number | null>((resolve) => void child.once('close', resolve))
  const end = (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal)
    return gone
  }
  t.teardown(() => end('SIGKILL'))
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const line = output.split('\n').find((line) => line.includes('"msg":"ready"') && line.endsWith('}'))
        if (line) resolve({ ready: JSON.parse(line), output: () => output, end })
      })
    gone.then((code) => reject(new Error(`${path} ended with ${code} before it was ready:\n${output}`)))
  })
}
