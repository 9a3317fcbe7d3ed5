/** The machine's clock: it waits, it can be stopped waiting, and its tasks never overlap. */
import { getEventListeners } from 'node:events'
import t from 'tap'
import { rfc3339, systemClock } from '../../../services/shared/clock.ts'

t.test('sleeps at least as long as asked', async (t) => {
  const start = systemClock.monotonic()
  await systemClock.sleep(30)
  t.ok(systemClock.monotonic() - start >= 29, 'timers may be a fraction early')
})

t.test('a sleep that is aborted rejects with the reason, at once', async (t) => {
  const abort = new AbortController()
  const start = systemClock.monotonic()
  const sleep = systemClock.sleep(60_000, abort.signal)
  abort.abort(new Error('enough'))
  await t.rejects(sleep, { message: 'enough' })
  await t.rejects(systemClock.sleep(60_000, abort.signal), { message: 'enough' }, 'also when it was aborted before')
  t.ok(systemClock.monotonic() - start < 10_000)
})

t.test('a sleep until what is past is no sleep, and no warning', async (t) => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  await systemClock.sleep(-5)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(warnings, [])
})

t.test('a sleep that ended leaves nothing on the signal', async (t) => {
  const abort = new AbortController()
  const sleep = systemClock.sleep(1, abort.signal)
  t.equal(getEventListeners(abort.signal, 'abort').length, 1)
  await sleep
  t.equal(getEventListeners(abort.signal, 'abort').length, 0)
})

t.test('a task that is slow is not started again beside itself', async (t) => {
  let running = 0
  let most = 0
  const twice = Promise.withResolvers<void>()
  let runs = 0
  const stop = systemClock.every(5, async () => {
    running += 1
    most = Math.max(most, running)
    await systemClock.sleep(25)
    running -= 1
    runs += 1
    if (runs === 2) twice.resolve()
  })
  const abort = new AbortController()
  await Promise.race([twice.promise, systemClock.sleep(10_000, abort.signal).catch(() => undefined)])
  abort.abort()
  stop()
  t.ok(runs >= 2)
  t.equal(most, 1)
})

t.test('a task that was stopped runs no more', async (t) => {
  let runs = 0
  const stop = systemClock.every(5, () => {
    runs += 1
  })
  stop()
  await systemClock.sleep(30)
  t.equal(runs, 0)
})

t.test('instants are written in UTC', async (t) => {
  t.equal(rfc3339(Date.UTC(2027, 0, 1, 12, 30)), '2027-01-01T12:30:00.000Z')
  t.throws(() => rfc3339(Number.NaN), RangeError)
})
