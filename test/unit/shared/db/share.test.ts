/** A share of the pool: so many at a time, in order, refused after a while, and never more given back than was taken. */
import t from 'tap'
import { shareOf } from '../../../../services/shared/db/share.ts'
import type { Database } from '../../../../services/shared/db/types.ts'

/** A database whose statements end when they are told, and a clock that moves when it is told. */
function world() {
  const running: (() => void)[] = []
  const database = {
    query: () => new Promise((resolve) => running.push(() => resolve([]))),
    transaction: (work: (sql: unknown) => unknown) => work({}),
  } as unknown as Database
  const timers = new Set<() => void>()
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    every: () => () => undefined,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        timers.add(resolve)
        signal?.addEventListener('abort', () => {
          timers.delete(resolve)
          reject(signal.reason)
        })
      }),
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    share: shareOf(database, { connections: 2, waitMs: 1 }, clock),
    running,
    timers,
    turn,
    late: () => {
      for (const timer of timers) timer()
      return turn()
    },
  }
}

t.test('two at a time; who waits has its turn in order, and no timer is left behind', async (t) => {
  const { share, running, timers, turn } = world()
  const done: number[] = []
  const all = [1, 2, 3, 4].map((n) => share.query('').then(() => done.push(n)))
  await turn()
  t.equal(running.length, 2)
  running[0]?.()
  await turn()
  t.equal(running.length, 3, 'the third began when the first had ended')
  for (let i = 1; i < 4; i++) {
    running[i]?.()
    await turn()
  }
  await Promise.all(all)
  t.same(done, [1, 2, 3, 4])
  t.equal(timers.size, 0)
})

t.test('who waits for too long is refused as overload, and takes nobody a place', async (t) => {
  const { share, running, late, turn } = world()
  const held = [share.query(''), share.query('')]
  const refused = t.rejects(share.query(''), { code: 'overloaded' })
  await turn()
  await late()
  await refused
  for (const end of running.splice(0)) end()
  await Promise.all(held)
  const again = [share.query(''), share.query(''), share.query('')]
  await turn()
  t.equal(running.length, 2, 'both places are free again, and no third')
  running[0]?.()
  await turn()
  running[1]?.()
  running[2]?.()
  await Promise.all(again)
})

t.test('work that fails gives its place back', async (t) => {
  const { share } = world()
  for (let i = 0; i < 5; i++) {
    await t.rejects(
      share.transaction(async () => {
        throw new Error('broken')
      }),
      { message: 'broken' },
    )
  }
})
