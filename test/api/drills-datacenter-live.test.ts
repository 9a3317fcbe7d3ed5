/** Live drills of a whole datacenter: there and back, one hosting after the other, each after the word that any move needs. */
import t, { type Test } from 'tap'
import { at, type FallbackStage } from '../support/fallback-stage.ts'
import { confirm, liveStage, over, placed, read, waiting } from '../support/live-drill-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(300_000)

async function twoLive(t: Test) {
  const { stage, stop } = await liveStage(t)
  const first = await placed(stage, 'urgent', { mode: 'cold', rtoSeconds: 60 }, { priority: 5 })
  const second = await placed(stage, 'gewoon', { mode: 'cold', rtoSeconds: 60 })
  t.equal(first.from, second.from, 'they run at one site')
  const begin = () => stage.api.call('loket', 'POST', 'drills', { body: { datacenterId: first.from, kind: 'live' } })
  return { stage, stop, first, second, begin, from: first.from, to: first.to }
}

const moves = async (stage: FallbackStage, id: string) =>
  (await read(stage, `operations?hosting=${id}`)).items.filter(({ kind }: any) => kind === 'drill-live')
const holder = async (stage: FallbackStage, id: string) => (await stage.row(id))?.holder
const states = ({ parts }: any) => parts.map(({ hosting, state }: any) => `${hosting} ${state}`)

t.test('each goes there and back after its word, and never two of them are away', async (t) => {
  const { stage, first, second, begin, from, to } = await twoLive(t)
  const shared = await stage.host('overal', { mode: 'cold', activity: 'shared' })
  t.equal(at(shared, 'primary'), from)
  const begun = await begin()
  t.equal(begun.status, 202, JSON.stringify(begun.body))
  t.equal((await begin()).status, 409, 'one at a time')
  const out = await waiting(stage, first.id)
  t.match(out, { kind: 'drill-live', plan: { from, to, method: 'stop' } })
  t.same(states(await read(stage, `drills/${begun.body.id}`)), ['urgent running', 'gewoon waiting', 'overal left-out'])
  t.equal(await holder(stage, first.id), from, 'nothing has moved')
  await confirm(stage, out.id)
  await stage.running(first.id, to)
  t.same(await moves(stage, second.id), [], 'the other waits until it is back')
  const next = await waiting(stage, second.id)
  t.equal(await holder(stage, first.id), from, 'it is back by then')
  await confirm(stage, next.id)
  const drill = await over(stage, begun.body.id)
  t.match(drill, { state: 'passed', from: 'noord', steps: [{ name: 'drilled' }, { name: 'done' }] })
  t.same(states(drill), ['urgent passed', 'gewoon passed', 'overal left-out'])
  for (const { id } of [first, second]) t.equal(await holder(stage, id), from)
  t.same([stage.sites.doubles, await miscounted(stage.api.kit.database)], [[], []])
  const report = await read(stage, `drills/${drill.id}/report`)
  t.match(report, { rto: { kept: true }, fencing: { level: 2, declaredSeconds: 0.3 }, findings: [{ weight: 'note' }] })
  t.match(report.parts, [
    { hosting: 'urgent', result: 'passed', rto: { promisedSeconds: 60, kept: true } },
    { hosting: 'gewoon', result: 'passed', rto: { promisedSeconds: 60, kept: true } },
    { hosting: 'overal', result: 'left-out', why: /may be active in several places/ },
  ])
  const own = await read(stage, `drills/${report.parts[0].drillId}/report`)
  t.equal(own.operations.length, 2, 'its own report has its way there and back')
})

t.test('called off in the middle: who is away is brought back, and the others never move', async (t) => {
  const { stage, first, second, begin, from, to } = await twoLive(t)
  const { body } = await begin()
  await confirm(stage, (await waiting(stage, first.id)).id)
  await stage.running(first.id, to)
  const aborted = await stage.api.call('loket', 'POST', `drills/${body.id}/aborts`, { body: { reason: 'storing' } })
  t.equal(aborted.status, 202, JSON.stringify(aborted.body))
  const drill = await over(stage, body.id)
  t.match(drill, { state: 'aborted', abortedBecause: 'storing' })
  t.same(states(drill), ['urgent aborted', 'gewoon not-drilled'])
  t.equal(await holder(stage, first.id), from, 'it is back')
  t.same(await moves(stage, second.id), [])
  t.same(stage.sites.doubles, [])
})

t.test('what is in the way of one is told of that one, and the other is drilled', async (t) => {
  const { stage, first, second, begin } = await twoLive(t)
  const asked = await stage.api.call('consumer', 'POST', `hostings/${first.id}/failovers`, {
    body: { reason: 'onderhoud' },
  })
  const { body } = await begin()
  await confirm(stage, (await waiting(stage, second.id)).id)
  const drill = await over(stage, body.id)
  t.same(states(drill), ['urgent not-drilled', 'gewoon passed'])
  const why = `urgent was not drilled: operation ${asked.body.id} of it is not over yet`
  t.match(drill, { state: 'failed', findings: [{ code: 'not-drilled', en: why }] })
})

t.test('the leader goes at each turn, and another goes on where it was', async (t) => {
  const { stage, stop, first, second, begin, from, to } = await twoLive(t)
  const { body } = await begin()
  let leave = stop
  const another = async () => {
    await leave()
    leave = stage.lead()
  }
  for (const { id } of [first, second]) {
    const operation = await waiting(stage, id)
    await another()
    await confirm(stage, operation.id)
    await stage.running(id, to)
    await another()
    await until(async () => (await holder(stage, id)) === from, 'it is back')
    await another()
  }
  t.match(await over(stage, body.id), { state: 'passed', parts: [{ state: 'passed' }, { state: 'passed' }] })
  for (const { id } of [first, second]) t.equal((await moves(stage, id)).length, 2, 'one there and one back')
  t.same(stage.sites.doubles, [])
})
