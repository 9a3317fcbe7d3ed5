/** Which boot of the machine this is, and how long it has lasted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Boot {
  readonly id: string
  /** Milliseconds since then, those in which the machine slept counted too; steps of its wall clock do not touch it. */
  now(): number
}

/** From the kernel, whose folder is `proc`. Throws when it does not say. */
export function readBoot(proc: string): Boot {
  const id = readFileSync(join(proc, 'sys/kernel/random/boot_id'), 'utf8').trim()
  const now = () => {
    // CLOCK_BOOTTIME, in hundredths of a second.
    const seconds = Number.parseFloat(readFileSync(join(proc, 'uptime'), 'utf8'))
    if (!Number.isFinite(seconds)) throw new Error(`${join(proc, 'uptime')} holds no number`)
    return seconds * 1000
  }
  now()
  return { id, now }
}
