/** Where a hosting may be changed: where it has its lease, and nowhere once that has ended, whatever the store still says. */
import t from 'tap'
import { systemClock } from '../../../../services/shared/clock.ts'
import { epoch } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

t.setTimeout(60_000)

t.test('an exclusive hosting may be changed for as long as its lease holds', async (t) => {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const { fallback, meet, stop } = await startAgent(t, town, store)
  t.equal(fallback.isActive('h_1'), true, 'who has never met a desk judges nothing')
  const desk = meet()
  await until(() => (store.kept()?.incarnation ?? 0) > 0, 'it to live')
  t.equal(fallback.isActive('h_1'), true, 'nor what it was never told of')
  desk.grant('h_1', 1)
  await until(() => store.kept()?.records[0]?.accepted.counter === 1, 'it to be taken')
  await until(() => fallback.isActive('h_1'), 'its lease to come')

  desk.answers = false
  const silentSince = systemClock.monotonic()
  await until(() => !fallback.isActive('h_1'), 'its lease to run out')
  t.ok(systemClock.monotonic() - silentSince < 10_000)
  desk.answers = true
  await until(() => fallback.isActive('h_1'), 'it to be renewed')

  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  await until(() => !fallback.isActive('h_1'), 'the order to be heard')
  t.equal(store.kept()?.records[0]?.ended.counter, 1)
  await stop()
  t.equal(fallback.isActive('h_1'), false, 'between two lives nothing is known')
})

t.test('a pinned one until it is ended', async (t) => {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const { fallback, meet } = await startAgent(t, town, store)
  const desk = meet()
  desk.grant('h_1', 1, 'pinned')
  await until(() => store.kept()?.records[0]?.accepted.counter === 1, 'it to be taken')
  t.equal(fallback.isActive('h_1'), true)
  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  await until(() => !fallback.isActive('h_1'), 'the order to be heard')
})
