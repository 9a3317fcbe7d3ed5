/** Ends the pods of hostings that may not run, and keeps count of how long that takes. */
import type { Logger } from '../../shared/log.ts'
import type { Runtime } from './cri/runtime.ts'
import type { GuardMetrics } from './metrics.ts'
import type { GuardedPod } from './pods.ts'

/**
 * Shares of S, whose sum with a turn is below it: a pod may use the first to end by itself; after the second without success
 * the guard stops patting; after the third the watchdog resets the machine.
 */
export const shares = { grace: 0.25, stuck: 0.4, watchdog: 0.4, call: 0.1 } as const

export interface Ending {
  /** Ends these pods, once at a time each; returns at once. */
  end(pods: readonly GuardedPod[], stopMs: number): void
  /** With the hostings that must end and what of them still runs; called at every turn. */
  count(overdue: ReadonlySet<string>, nowMs: number): void
  /** Since when the oldest of them should be gone. */
  longestMs(nowMs: number): number
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
}

export function createEnding(runtime: Runtime, metrics: GuardMetrics, log: Logger): Ending {
  const under = new Map<string, Promise<void>>()
  const since = new Map<string, number>()
  return {
    end(pods, stopMs) {
      for (const pod of pods) {
        if (under.has(pod.sandbox)) continue
        log.warn({ hosting: pod.hosting, pod: pod.name }, 'ends a pod that has no grant')
        under.set(
          pod.sandbox,
          endPod(runtime, pod, stopMs)
            .then(
              () => metrics.ended(),
              (error: unknown) => {
                metrics.failed('stop')
                log.error({ err: error, pod: pod.name }, 'a pod could not be ended')
              },
            )
            .finally(() => under.delete(pod.sandbox)),
        )
      }
    },
    count(overdue, nowMs) {
      for (const hosting of overdue) if (!since.has(hosting)) since.set(hosting, nowMs)
      for (const [hosting, at] of since) {
        if (overdue.has(hosting)) continue
        since.delete(hosting)
        metrics.gone((nowMs - at) / 1000)
      }
      metrics.overdue(since.size)
    },
    longestMs: (nowMs) => Math.max(0, ...[...since.values()].map((at) => nowMs - at)),
    settled: async () => {
      await Promise.all(under.values())
    },
  }
}

/** Its containers first, since they may end in their own way; then the sandbox, in which nothing starts any more. */
async function endPod(runtime: Runtime, { live, sandbox }: GuardedPod, stopMs: number): Promise<void> {
  const graceSeconds = Math.floor((stopMs * shares.grace) / 1000)
  const callMs = stopMs * shares.call
  const withinMs = graceSeconds * 1000 + callMs
  await Promise.allSettled(live.map((id) => runtime.stopContainer(id, graceSeconds, withinMs)))
  await runtime.stopSandbox(sandbox, callMs)
}
