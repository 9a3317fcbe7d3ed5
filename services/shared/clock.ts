/** Time, the only door to it: everything that waits or dates takes a Clock, so that tests and simulation own time. */
export interface Clock {
  /** Wall-clock milliseconds since the Unix epoch, UTC. */
  now(): number
  /** Milliseconds that never go back; only differences mean anything. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `task` every `ms`; returns a function that stops it. A task never overlaps itself. */
  every(ms: number, task: () => Promise<void> | void): () => void
}

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        Math.max(0, ms),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  every: (ms, task) => {
    let running = false
    const timer = setInterval(async () => {
      if (running) return
      running = true
      try {
        await task()
      } finally {
        running = false
      }
    }, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/** RFC 3339 in UTC with `Z`, the only notation of an instant that leaves the process. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** Aborts after `ms`: for calls that take a signal and must not hang. */
export function deadline(ms: number): AbortSignal {
  return AbortSignal.timeout(ms)
}
