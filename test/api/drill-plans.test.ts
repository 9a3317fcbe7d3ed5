/** Drills at set times: begun once however many look, tried again within their window, skipped after it and told so. */
import t from 'tap'
import type { Clock } from '../../services/shared/clock.ts'
import { type DrillStage, drillStage, hostAll } from '../support/drill-stage.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

/** It is always so much later than it is. */
function laterBy(clock: Clock, ms: number): Clock {
  return { ...clock, now: () => clock.now() + ms }
}

const plan = async (stage: DrillStage, body: object) => stage.ask('consumer', 'POST', 'drill-plans', { body })
const planOf = async (stage: DrillStage, id: string) => (await stage.ask('consumer', 'GET', `drill-plans/${id}`)).body
const drillsOf = async (stage: DrillStage, id: string) =>
  (await stage.ask('consumer', 'GET', `drills?hosting=${id}`)).body.items
const everyMinute = { cron: '* * * * *', windowMinutes: 60 }

/** Due a moment ago. */
async function due(stage: DrillStage, id: string, agoMs: number) {
  const at = new Date(stage.api.kit.clock.now() - agoMs)
  await stage.api.kit.database.query('update drill_plans set next_at = $2 where id = $1', [id, at])
  return at.toISOString()
}

t.test('what is due is begun once, though two look at the same time', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('zaak-prod')
  const made = await plan(stage, { hostingId: id, kind: 'shadow', cron: '0 22 1-7 * 2', windowMinutes: 60 })
  t.match(made.body, { hosting: 'zaak-prod', timeZone: 'Europe/Amsterdam', periodDays: 365, last: null })
  t.ok(Date.parse(made.body.nextAt) > stage.api.kit.clock.now())
  const dueAt = await due(stage, made.body.id, 1_000)
  stage.lead()
  stage.lead()
  await until(async () => (await planOf(stage, made.body.id)).last !== null, 'it is begun')
  const { last, nextAt } = await planOf(stage, made.body.id)
  t.match(last, { dueAt, outcome: 'begun', reason: null })
  t.ok(Date.parse(nextAt) > stage.api.kit.clock.now(), 'the next is to come')
  t.match(await stage.over(last.drillId), { state: 'passed', planId: made.body.id })
  t.equal((await drillsOf(stage, id)).length, 1)
})

t.test('a whole datacenter is drilled when that is due, with all that runs there', async (t) => {
  const stage = await drillStage(t)
  const { from, ids } = await hostAll(stage, { een: {}, twee: {} })
  const scope = { datacenterId: stage.datacenters[from], kind: 'shadow' }
  const body = { ...scope, cron: '0 22 1-7 * 2', windowMinutes: 60 }
  const made = (await stage.ask('loket', 'POST', 'drill-plans', { body })).body
  const dueAt = await due(stage, made.id, 1_000)
  stage.lead()
  const shown = async () => (await stage.ask('loket', 'GET', `drill-plans/${made.id}`)).body
  await until(async () => (await shown()).last !== null, 'it is begun')
  const { last, datacenter } = await shown()
  t.match([last, datacenter], [{ dueAt, outcome: 'begun' }, from])
  const drill = await stage.over(last.drillId)
  t.match(drill, { state: 'passed', planId: made.id, expiresAt: new Date(Date.parse(dueAt) + 3_600_000).toISOString() })
  t.equal(drill.parts.length, 2)
  for (const id of Object.values(ids))
    t.match(await drillsOf(stage, id), [{ partOf: drill.id, planId: made.id, expiresAt: drill.expiresAt }])
})

t.test('what stands in its way is told once, and it is tried again until its window is over', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('bezet')
  const made = await plan(stage, { hostingId: id, kind: 'shadow', cron: '0 22 1-7 * 2', windowMinutes: 60 })
  const { database } = stage.api.kit
  await database.query(`update hostings set broken = '{}' where id = $1`, [id])
  await due(stage, made.body.id, 1_000)
  stage.lead()
  await until(async () => (await planOf(stage, made.body.id)).last?.outcome === 'refused', 'it is refused')
  t.match((await planOf(stage, made.body.id)).last, { drillId: null, reason: /what was promised to it is not kept/ })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const told = await database.query(`select 1 from events where type = 'drill.refused'`)
  t.equal(told.length, 1, 'though it was tried many times')
  await database.query('update hostings set broken = null where id = $1', [id])
  await until(async () => (await planOf(stage, made.body.id)).last.outcome === 'begun', 'now it is begun')
})

t.test('a window that nobody looked in is skipped, told, and not caught up with', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('gemist')
  const made = await plan(stage, { hostingId: id, kind: 'shadow', ...everyMinute, windowMinutes: 5 })
  const dueAt = await due(stage, made.body.id, 3 * 3_600_000)
  const stop = stage.lead()
  await until(async () => (await planOf(stage, made.body.id)).last !== null, 'it is skipped')
  await stop()
  const [first] = await stage.api.kit.database.query<{ data: any }>(
    `select data from events where type = 'drill.skipped'`,
  )
  t.match(first?.data, { dueAt, reason: 'nobody could begin it within its window' })
  const skipped = await stage.api.kit.database.query(`select 1 from events where type = 'drill.skipped'`)
  t.equal(skipped.length, 1, 'three hours of minutes are one')
})

t.test('it is to be over with its window', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('te-laat')
  const made = await plan(stage, { hostingId: id, kind: 'shadow', cron: '0 22 1-7 * 2', windowMinutes: 30 })
  await due(stage, made.body.id, 1_000)
  const never = { ...stage.sites, look: async () => ({ wanted: 1, waiting: ['Deployment web (0 of 2)'] }) }
  const stop = stage.lead({ sites: never })
  await until(
    async () => (await drillsOf(stage, id))[0]?.steps.some(({ name }: any) => name === 'ready'),
    'it is under way',
  )
  await stop()
  const kit = { ...stage.api.kit, clock: laterBy(stage.api.kit.clock, 31 * 60_000) }
  await stage.ask('consumer', 'DELETE', `drill-plans/${made.body.id}`)
  stage.lead({ sites: never, kit })
  const [drill] = await drillsOf(stage, id)
  t.match(await stage.over(drill.id), {
    state: 'failed',
    findings: [{ code: 'out-of-time' }, { code: 'waited-for', en: /: Deployment web \(0 of 2\)$/ }],
  })
  t.same([stage.shadows(), await stage.claims()], [[], 0])
})

t.test('plans that can never be due, or of nothing, are refused by field', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('velden')
  const [datacenterId] = Object.values(stage.datacenters)
  const refused = async (body: object) => {
    const { status, body: problem } = await plan(stage, { windowMinutes: 60, kind: 'plan', cron: '0 6 * * *', ...body })
    return [status, problem.errors?.[0]?.pointer]
  }
  t.same(await refused({ hostingId: id, cron: '0 6 31 2 *' }), [400, '/cron'])
  t.same(await refused({ hostingId: id, cron: '61 6 * * *' }), [400, '/cron'])
  t.same(await refused({ hostingId: id, timeZone: 'Europe/Utrecht' }), [400, '/timeZone'])
  t.same(await refused({}), [400, '/hostingId'])
  t.same(await refused({ hostingId: id, datacenterId }), [400, '/hostingId'])
  for (const kind of ['plan', 'shadow', 'live'])
    t.equal((await refused({ datacenterId, kind }))[0], 403, 'a datacenter is drilled by who operates it')
  t.same(await stage.api.kit.database.query('select 1 from drill_plans'), [])
})

t.test('who has not passed a drill for as long as its plan says is degraded, and overdue in the metrics', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('achterstallig')
  const { database } = stage.api.kit
  const shown = async () => (await stage.ask('consumer', 'GET', `hostings/${id}`)).body
  t.match(await shown(), { fallbackStatus: 'ready', fallbackReasons: [] }, 'no plan asks for it')
  const made = await plan(stage, {
    hostingId: id,
    kind: 'shadow',
    cron: '0 22 1-7 * 2',
    windowMinutes: 60,
    periodDays: 30,
  })
  t.match(await shown(), { fallbackStatus: 'ready' }, 'there is a month for it')
  await database.query(`update drill_plans set created_at = now() - interval '31 days' where id = $1`, [made.body.id])
  t.match(await shown(), { fallbackStatus: 'degraded', fallbackReasons: ['drill-overdue'] })
  t.ok((await stage.metric('gemeentecloud_drill_due_timestamp_seconds')) < Date.now() / 1000)
  stage.lead()
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  t.match(await stage.over(body.id), { state: 'passed' })
  t.match(await shown(), { fallbackStatus: 'ready', fallbackReasons: [] })
  t.ok((await stage.metric('gemeentecloud_drill_due_timestamp_seconds')) > Date.now() / 1000 + 29 * 86_400)
  t.ok(Math.abs((await stage.metric('gemeentecloud_drill_last_success_timestamp_seconds')) - Date.now() / 1000) < 60)
})

t.test('a plan of a datacenter asks it of each hosting there, and one drill of it counts for each', async (t) => {
  const stage = await drillStage(t)
  const { from, ids } = await hostAll(stage, {
    een: {},
    twee: {},
    zonder: { fallback: { mode: 'none' } },
    gegevens: {},
  })
  const { database } = stage.api.kit
  const { een, twee, zonder, gegevens } = ids
  const data = `update hostings set spec = spec || '{"data": [{"kind": "cnpg", "name": "db"}]}' where id = $1`
  await database.query(data, [gegevens])
  const reasons = async (id = '') => (await stage.ask('consumer', 'GET', `hostings/${id}`)).body.fallbackReasons
  const isOverdue = async (id?: string) => (await reasons(id)).includes('drill-overdue')
  const scope = { datacenterId: stage.datacenters[from], kind: 'shadow' }
  const body = { ...scope, cron: '0 22 1-7 * 2', windowMinutes: 60, periodDays: 30 }
  t.equal((await stage.ask('loket', 'POST', 'drill-plans', { body })).status, 201)
  await database.query(`update drill_plans set created_at = now() - interval '31 days'`)
  t.notOk(await isOverdue(een), 'it runs there for less than a month')
  await database.query(`update placements set created_at = now() - interval '40 days'`)
  for (const id of [een, twee]) t.ok(await isOverdue(id))
  for (const id of [zonder, gegevens]) t.notOk(await isOverdue(id), 'no shadow can be held of it')
  t.ok((await stage.metric('gemeentecloud_drill_due_timestamp_seconds')) < Date.now() / 1000)
  stage.lead()
  const begun = await stage.begin(scope, 'loket')
  t.match(await stage.over(begun.body.id), { state: 'passed' })
  for (const id of [een, twee]) t.notOk(await isOverdue(id))
  t.ok((await stage.metric('gemeentecloud_drill_due_timestamp_seconds')) > Date.now() / 1000 + 29 * 86_400)
})
