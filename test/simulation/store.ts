/** The desk's database: commits take time, only the leader's are taken, and it can be put back to an old backup. */
import type { DeskWrite, Row } from '../../services/fallback/index.ts'
import type { Random } from '../../services/shared/random.ts'
import type { Core } from './core.ts'
import type { Time } from './time.ts'

export interface Leadership {
  readonly term: number
  readonly generation: number
  readonly rows: readonly Row[]
}

export interface Store {
  rows: Map<string, Row>
  slowMs: number
  isLeader(broker: string): boolean
  /** Leads, or goes on leading; undefined while another does. */
  /** `anew`: it has forgotten what it knew as the leader. */
  lead(broker: string, anew: boolean): Leadership | 'still' | undefined
  commit(term: number, writes: readonly DeskWrite[], done: (ok: boolean) => void): void
  /** Back to how it was at most `ageMs` ago. Every row may be old now. */
  restore(ageMs: number): void
  onRow: (before: Row | undefined, row: Row) => void
}

const leaseMs = 6_000

export function createStore(time: Time, random: Random, { forgotten }: Core, first: readonly Row[]): Store {
  let term = 0
  let generation = 1
  let leader = { broker: '', untilMs: 0 }
  const history: { atMs: number; rows: Map<string, Row> }[] = []
  const store: Store = {
    rows: new Map(first.map((row) => [row.hosting, row])),
    slowMs: 5,
    isLeader: (broker) => leader.broker === broker,
    lead(broker, anew) {
      const isMine = leader.broker === broker && leader.untilMs >= time.now()
      if (!isMine && leader.untilMs >= time.now()) return undefined
      leader = { broker, untilMs: time.now() + leaseMs }
      if (isMine && !anew) return 'still'
      term += 1
      return { term, generation, rows: [...store.rows.values()] }
    },
    commit(asked, writes, done) {
      time.after(1 + random.next() * store.slowMs, () => {
        const ok = asked === term
        if (ok) {
          for (const write of writes) {
            if (!('row' in write)) continue
            store.onRow(store.rows.get(write.row.hosting), write.row)
            store.rows.set(write.row.hosting, write.row)
          }
        }
        time.after(1 + random.next() * 3, () => done(ok))
      })
    },
    restore(ageMs) {
      const from = history.findLast(({ atMs }) => atMs <= time.now() - ageMs) ?? history[0]
      if (!from) return
      term += 1
      generation += 1
      leader = { broker: '', untilMs: 0 }
      store.rows = new Map([...from.rows].map(([id, row]) => [id, forgotten(row, generation)]))
      history.length = 0
    },
    onRow: () => undefined,
  }
  const keep = () => {
    history.push({ atMs: time.now(), rows: new Map(store.rows) })
    if (history.length > 60) history.shift()
    time.after(10_000, keep)
  }
  keep()
  return store
}
