/** A sign of life on standard error while something takes more than a second; only on a terminal. */
import type { Io } from './io.ts'

const quietMs = 1_000
const frameMs = 200
const frames = ['-', '\\', '|', '/']

/** What is going on: words that stay, or that are asked for anew each time they are shown. */
export type Doing = string | (() => string)

/** Awaits `work`; shows `what` and the seconds that have passed, and wipes it off when done. */
export async function withProgress<T>(io: Io, what: Doing, work: Promise<T>): Promise<T> {
  if (!io.errIsTerminal) return work
  const started = io.clock.monotonic()
  let shown = 0
  const stop = io.clock.every(frameMs, () => {
    const passedMs = io.clock.monotonic() - started
    if (passedMs < quietMs) return
    const doing = typeof what === 'string' ? what : what()
    io.err(`\r\x1b[2K${frames[shown++ % frames.length]} ${doing} (${Math.floor(passedMs / 1000)} s)`)
  })
  try {
    return await work
  } finally {
    stop()
    if (shown > 0) io.err('\r\x1b[2K')
  }
}
