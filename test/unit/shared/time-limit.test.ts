/** One limit for much work: found late, never early, and no timer while nothing runs. */
import t from 'tap'
import { systemClock } from '../../../services/shared/clock.ts'
import { createTimeLimit } from '../../../services/shared/time-limit.ts'

/** A clock that a test moves; `timers` are those that run. */
function stage(ms: number) {
  let now = 0
  const timers = new Set<() => unknown>()
  const clock = {
    ...systemClock,
    monotonic: () => now,
    every: (_ms: number, task: () => unknown) => {
      timers.add(task)
      return () => void timers.delete(task)
    },
  }
  const told: string[] = []
  const limit = createTimeLimit(clock, ms)
  return {
    told,
    timers,
    start: (name: string) => limit.start(() => told.push(name)),
    to: (time: number) => {
      now = time
      for (const task of timers) task()
    },
  }
}

t.test('each is late by its own beginning, once', (t) => {
  const { told, start, to } = stage(100)
  start('one')
  to(60)
  start('other')
  to(99)
  t.same(told, [])
  to(105)
  t.same(told, ['one'])
  to(159)
  t.same(told, ['one'])
  to(1_000)
  t.same(told, ['one', 'other'])
  to(2_000)
  t.same(told, ['one', 'other'])
  t.end()
})

t.test('what was done in time is not late, also when others before it are', (t) => {
  const { told, start, to } = stage(100)
  start('one')
  const done = start('other')
  done()
  done()
  to(1_000)
  t.same(told, ['one'])
  t.end()
})

t.test('there is one timer while there is work, and none after', (t) => {
  const { start, to, timers, told } = stage(100)
  t.equal(timers.size, 0)
  const done = start('one')
  start('other')
  t.equal(timers.size, 1)
  done()
  to(100)
  to(105)
  t.equal(timers.size, 0)
  start('later')
  t.equal(timers.size, 1)
  to(300)
  t.same(told, ['other', 'later'])
  t.end()
})
