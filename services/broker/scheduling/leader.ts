/**
 * Who may schedule: one replica at a time holds an advisory lock on a connection of its own, so leadership ends with the
 * connection, also by kill -9. Each term has a higher epoch; every commit of a leader names its epoch, so that one who was
 * deposed without noticing changes nothing.
 */
import type { Kit } from '../../shared/kit.ts'
import { Deposed, takeOffice } from './store.ts'

const retryMs = 1_000

export interface Term {
  readonly epoch: number
  /** Aborted when leadership ends, for whatever reason. */
  readonly signal: AbortSignal
}

/** Runs `serve` for each term this replica is leader, until stopped; stopping waits for `serve` to return. */
export function runForLeader(
  kit: Kit,
  holder: string,
  serve: (term: Term) => Promise<void>,
): { stop(): Promise<void>; isLeader(): boolean } {
  const stopping = new AbortController()
  let leading = false
  const finished = campaign()

  async function campaign(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await candidacy()
      } catch (error) {
        kit.log.warn({ err: error }, 'leadership was lost or could not be taken')
      }
      await kit.clock.sleep(retryMs, stopping.signal).catch(() => undefined)
    }
  }

  async function candidacy(): Promise<void> {
    const term = new AbortController()
    const end = () => term.abort()
    stopping.signal.addEventListener('abort', end)
    const session = await kit.database.session(end)
    try {
      const epoch = await takeOffice(session, holder)
      // It may have ended while office was taken: then nobody would tell `serve` any more.
      if (epoch === undefined || term.signal.aborted) return
      leading = true
      kit.log.info({ epoch }, 'leading')
      await serve({ epoch, signal: term.signal })
    } finally {
      leading = false
      stopping.signal.removeEventListener('abort', end)
      await session.close().catch(() => undefined)
    }
  }

  return {
    isLeader: () => leading,
    stop: async () => {
      stopping.abort()
      await finished
    },
  }
}

/**
 * Runs the parts of the leader's work until the term ends. A part that fails is started again and stops no other; one
 * that was `Deposed` ends the term for all.
 */
export async function runParts(
  kit: Kit,
  { epoch, signal }: Term,
  parts: Readonly<Record<string, (term: Term) => Promise<void>>>,
): Promise<void> {
  const deposed = new AbortController()
  const term = { epoch, signal: AbortSignal.any([signal, deposed.signal]) }
  const keep = async ([part, run]: [string, (term: Term) => Promise<void>]) => {
    while (!term.signal.aborted) {
      try {
        await run(term)
      } catch (error) {
        if (error instanceof Deposed) deposed.abort()
        kit.log.error({ err: error, part }, 'a part of the leader failed; it is started again')
        await kit.clock.sleep(retryMs, term.signal).catch(() => undefined)
      }
    }
  }
  await Promise.all(Object.entries(parts).map(keep))
}
