/** How long a start takes and what it weighs: the first on an empty directory, the second where the first was. */
import { readFileSync } from 'node:fs'
import { temporaryFolder } from '../support/folder.ts'
import { startProcess } from '../support/process.ts'

export interface StartFigures {
  readonly demonstration: boolean
  readonly firstReadySeconds: number
  readonly secondReadySeconds: number
  /** Resident memory of the process after the second start, without PostgreSQL's. */
  readonly residentMiB: number
}

export async function benchStart(demonstration: boolean): Promise<StartFigures> {
  const { path: folder, remove } = temporaryFolder('start')
  const flags = demonstration ? [] : ['--empty']
  try {
    const first = await timedStart(folder, flags)
    await first.broker.end('SIGTERM')
    const second = await timedStart(folder, flags)
    const status = readFileSync(`/proc/${second.broker.process.pid}/status`, 'utf8')
    const residentMiB = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)
    await second.broker.end('SIGTERM')
    return { demonstration, firstReadySeconds: first.seconds, secondReadySeconds: second.seconds, residentMiB }
  } finally {
    remove()
  }
}

async function timedStart(folder: string, flags: readonly string[]) {
  const started = performance.now()
  const broker = await startProcess(folder, flags)
  return { broker, seconds: Math.round((performance.now() - started) / 100) / 10 }
}
