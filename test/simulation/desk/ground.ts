/**
 * The desk's own PostgreSQL under a virtual clock. What a replica asks is on its way for a while, is carried out at one moment,
 * a transaction whole, and its answer is on its way again: so a replica that is killed, stopped or cut off in between does not
 * know what became of it. Transactions do not overlap here; that they may is proven elsewhere.
 */
import type { Database, Row, Session, Sql, Transaction } from '../../../services/shared/db/database.ts'
import type { Random } from '../../../services/shared/random.ts'
import type { Network } from '../network.ts'
import type { Time } from '../time.ts'
import type { Life } from './life.ts'

/** A replica gives up after this: the limit of the product's own statements. */
const patienceMs = 30_000
/** After so long without a sign the store takes a connection for broken; the replica finds out in its own time. */
const brokenMs = 15_000

export interface GroundSetup {
  readonly time: Time
  readonly random: Random
  readonly network: Network
  readonly inner: Database
  /** Called at each commit in which `leases` may have changed. */
  readonly committed: () => Promise<void>
}

export interface Ground {
  slowMs: number
  /** As one life of a replica has it. */
  database(life: Life): Database
  /** The connections of a life end with it. */
  drop(life: Life): void
  /** All connections break, as when the server is started anew. */
  breakAll(): void
  /** What the keeper of the store does, between two statements of others. */
  run(work: () => Promise<void>): void
  /** Carries out what has arrived; false when nothing has. */
  step(): Promise<boolean>
}

interface Kept {
  readonly life: Life
  readonly pid: number
  readonly lost: (error: Error) => void
  silentSinceMs: number | undefined
  isOver: boolean
}

export function createGround({ time, random, network, inner, committed }: GroundSetup): Ground {
  const arrived: (() => Promise<void>)[] = []
  const sessions = new Set<Kept>()
  const listeners = new Map<string, Set<{ life: Life; wake: () => void }>>()

  const isOpen = ({ id }: Life) => network.isOpen(id, 'store') && network.isOpen('store', id)
  const onWay = () => 1 + random.next() * ground.slowMs

  const ask = <T>(life: Life, work: () => Promise<T>): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const answer = (tell: () => void) =>
      time.after(1 + random.next() * 3, () => {
        if (network.isOpen('store', life.id)) life.awake(tell)
      })
    const carryOut = async () => {
      try {
        const result = await work()
        answer(() => resolve(result))
      } catch (error) {
        answer(() => reject(error))
      }
    }
    const isSent = network.isOpen(life.id, 'store')
    // What was sent arrives whether its sender is alive still or not; half of it was sent just before.
    const isOut = random.next() < 0.5
    if (isSent)
      time.after(onWay(), () => {
        if (life.isAlive()) life.awake(() => arrived.push(carryOut))
        else if (isOut) arrived.push(carryOut)
      })
    time.after(patienceMs, () => life.awake(() => reject(new Error('the store does not answer'))))
    return promise
  }

  const hinted = (from: Life, channel: string) => {
    for (const listener of listeners.get(channel) ?? []) {
      const afterMs = listener.life === from ? 0 : 1 + random.next() * 20
      time.after(afterMs, () => {
        if (listener.life === from || isOpen(listener.life)) listener.life.awake(listener.wake)
      })
    }
  }
  const transact = async <T>(life: Life, work: (sql: Transaction) => Promise<T>): Promise<T> => {
    const channels = new Set<string>()
    let isOfLeases = false
    const result = await inner.transaction((sql) =>
      work({
        ...sql,
        hint: (channel) => channels.add(channel),
        query: (text, values) => {
          isOfLeases ||= /\bleases\b/.test(text) && !text.trimStart().startsWith('select')
          return sql.query(text, values)
        },
      }),
    )
    if (isOfLeases) await committed()
    for (const channel of channels) hinted(life, channel)
    return result
  }

  const end = async (kept: Kept) => {
    if (kept.isOver) return
    kept.isOver = true
    sessions.delete(kept)
    await inner.query('select pg_terminate_backend($1, 10000)', [kept.pid])
  }
  const open = async (life: Life, lost: (error: Error) => void): Promise<Session> => {
    const real = await inner.session(() => undefined)
    const [row] = await real.query<{ pid: number } & Row>('select pg_backend_pid() as pid')
    const kept: Kept = { life, pid: row?.pid ?? 0, lost, silentSinceMs: undefined, isOver: false }
    sessions.add(kept)
    return {
      query: (text, values) => ask(life, () => real.query(text, values)),
      close: () => ask(life, () => end(kept)),
    }
  }
  const broken = (kept: Kept) => {
    arrived.push(() => end(kept))
    time.after(random.next() * 2 * brokenMs, () =>
      kept.life.awake(() => kept.lost(new Error('the connection to the store broke'))),
    )
  }
  const look = () => {
    for (const kept of sessions) {
      kept.silentSinceMs = isOpen(kept.life) ? undefined : (kept.silentSinceMs ?? time.now())
      if (kept.silentSinceMs !== undefined && time.now() - kept.silentSinceMs >= brokenMs) broken(kept)
    }
    time.after(2_000, look)
  }
  look()

  const ground: Ground = {
    slowMs: 5,
    database(life) {
      const sql: Sql = {
        query: (text, values) => ask(life, () => inner.query(text, values)),
        hint: (channel) => hinted(life, channel),
      }
      return {
        ...sql,
        transaction: (work) => ask(life, () => transact(life, work)),
        listen(channel, wake) {
          const all = listeners.get(channel) ?? new Set()
          listeners.set(channel, all)
          const own = { life, wake }
          all.add(own)
          return async () => void all.delete(own)
        },
        session: (lost) => ask(life, () => open(life, lost)),
        close: async () => undefined,
      }
    },
    drop(life) {
      for (const kept of sessions) if (kept.life === life) arrived.push(() => end(kept))
      for (const all of listeners.values()) for (const each of all) if (each.life === life) all.delete(each)
    },
    breakAll() {
      for (const kept of sessions) broken(kept)
    },
    run: (work) => void arrived.push(work),
    async step() {
      const next = arrived.shift()
      await next?.()
      return next !== undefined
    },
  }
  return ground
}
