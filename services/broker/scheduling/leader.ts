/**
 * Who may schedule: one replica at a time holds an advisory lock on a connection of its own, so leadership ends with the
 * connection, also by kill -9. Each term has a higher epoch; every commit of a leader names its epoch, so that one who was
 * deposed without noticing changes nothing.
 */
import type { Session } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'

const lockKey = 0x67656d65
const retryMs = 1_000

export interface Term {
  readonly epoch: number
  /** Aborted when leadership ends, for whatever reason. */
  readonly signal: AbortSignal
}

/** Runs `serve` for each term this replica is leader, until stopped; stopping waits for `serve` to return. */
export function runForLeader(kit: Kit, holder: string, serve: (term: Term) => Promise<void>): { stop(): Promise<void>; isLeader(): boolean } {
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
      if (epoch === undefined) return
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

/** The new epoch, or undefined while another replica leads. */
async function takeOffice(session: Session, holder: string): Promise<number | undefined> {
  const [lock] = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lockKey])
  if (!lock?.taken) return undefined
  const [row] = await session.query<{ epoch: number }>('update leader set epoch = epoch + 1, holder = $1, since = now() returning epoch', [holder])
  return row?.epoch
}
