/** Live drills: a real move and back, after the word that any move needs; called off, it is where it was. */
import t, { type Test } from 'tap'
import type { FallbackStage } from '../support/fallback-stage.ts'
import { confirm, liveStage, over, placed, read, waiting } from '../support/live-drill-stage.ts'
import { miscounted } from '../support/miscounted.ts'

t.setTimeout(240_000)

async function oneLive(t: Test) {
  const { stage, stop } = await liveStage(t)
  return { stage, stop, ...(await placed(stage, 'echt', { mode: 'cold', rtoSeconds: 60 })) }
}

const begin = (stage: FallbackStage, id: string) =>
  stage.api.call('consumer', 'POST', 'drills', { body: { hostingId: id, kind: 'live' } })

t.test('there after the word of the desk, ready, and back by itself, with the times of each step', async (t) => {
  const { stage, id, from, to } = await oneLive(t)
  const begun = await begin(stage, id)
  t.equal(begun.status, 202, JSON.stringify(begun.body))
  const operation = await waiting(stage, id)
  t.match(operation, { kind: 'drill-live', plan: { from, to, method: 'stop' } })
  t.equal((await stage.row(id))?.holder, from, 'nothing has moved')
  t.equal((await begin(stage, id)).status, 409, 'one at a time')
  await confirm(stage, operation.id)
  await stage.running(id, to)
  const drill = await over(stage, begun.body.id)
  t.match(drill, { state: 'passed', findings: [] }, JSON.stringify(drill))
  t.same(
    drill.steps.map(({ name }: any) => name),
    ['moved', 'ready-there', 'standing-by', 'moved-back', 'ready-back', 'done'],
  )
  await stage.running(id, from)
  t.match(await stage.row(id), { holder: from })
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(stage.api.kit.database), [])
  const report = await read(stage, `drills/${drill.id}/report`)
  t.match(report, { rto: { promisedSeconds: 60, kept: true }, fencing: { level: 2, declaredSeconds: 0.3 } })
  t.same(
    report.operations.map(({ steps }: any) => steps.map(({ name }: any) => name)),
    [
      ['confirmed', 'fenced', 'claimed', 'scaled-up', 'healthy', 'done'],
      ['confirmed', 'fenced', 'claimed', 'scaled-up', 'healthy', 'done'],
    ],
  )
  t.match(report.operations[0].confirmedBy, [/./], 'and whose word it had')
  t.equal((await read(stage, `hostings/${id}`)).fallbackStatus, 'ready', 'a drill is no failover')
})

t.test('called off before the word it never moves, and after it is brought back', async (t) => {
  const { stage, id, from, to } = await oneLive(t)
  const first = (await begin(stage, id)).body
  await waiting(stage, id)
  await stage.api.call('consumer', 'POST', `drills/${first.id}/aborts`, { body: { reason: 'toch maar niet' } })
  t.match(await over(stage, first.id), { state: 'aborted', abortedBecause: 'toch maar niet' })
  t.equal((await stage.row(id))?.holder, from)
  t.same((await read(stage, `operations?hosting=${id}&state=awaiting-confirmation`)).items, [], 'nothing waits')

  const second = (await begin(stage, id)).body
  const operation = await waiting(stage, id)
  await confirm(stage, operation.id)
  await stage.running(id, to)
  await stage.api.call('consumer', 'POST', `drills/${second.id}/aborts`, { body: { reason: 'genoeg gezien' } })
  t.match(await over(stage, second.id), { state: 'aborted' })
  t.equal((await stage.row(id))?.holder, from, 'it is back')
  t.same(stage.sites.doubles, [])
})

t.test('the leader goes and another goes on where it was', async (t) => {
  const { stage, id, from, to, stop } = await oneLive(t)
  const { body } = await begin(stage, id)
  const operation = await waiting(stage, id)
  await stop()
  const next = stage.lead()
  await confirm(stage, operation.id)
  await stage.running(id, to)
  await next()
  stage.lead()
  t.match(await over(stage, body.id), { state: 'passed' })
  t.equal((await stage.row(id))?.holder, from)
  const { items } = await read(stage, `operations?hosting=${id}`)
  t.equal(items.filter(({ kind }: any) => kind === 'drill-live').length, 2, 'one there and one back')
  t.same(stage.sites.doubles, [])
})
