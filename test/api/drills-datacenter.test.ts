/** Shadows of a whole datacenter: a drill of each hosting there, one report, and nothing left however it ends. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { type DrillStage, drillStage, hostAll, nothingLeft } from '../support/drill-stage.ts'
import { until } from '../support/until.ts'
import { cli } from '../unit/cli/fake-io.ts'

t.setTimeout(400_000)

const begin = (stage: DrillStage, slug: string, more: object = {}) =>
  stage.begin({ datacenterId: stage.datacenters[slug], kind: 'shadow', ...more }, 'loket')
const read = async (stage: DrillStage, id: string) => (await stage.ask('loket', 'GET', `drills/${id}`)).body
const reportOf = async (stage: DrillStage, id: string) => (await stage.ask('loket', 'GET', `drills/${id}/report`)).body
const small = (cpu = '500m') => ({ components: [{ name: 'web', replicas: 2, requests: { cpu, memory: '1Gi' } }] })
const never = (stage: DrillStage) => ({
  ...stage.sites,
  look: async () => ({ wanted: 1, waiting: ['Deployment web (0 of 2)'] }),
})
t.test('each hosting there is drilled, the most urgent first, and it is one drill with one report', async (t) => {
  const stage = await drillStage(t)
  const { database } = stage.api.kit
  const { ids, from } = await hostAll(stage, {
    gewoon: { fallback: { mode: 'cold', rtoSeconds: 300, rpoSeconds: 60 } },
    urgent: { priority: 9 },
    snel: { fallback: { mode: 'cold', rtoSeconds: 120 } },
    zonder: { fallback: { mode: 'none' } },
    gegevens: {},
  })
  const data = `update hostings set spec = spec || '{"data": [{"kind": "cnpg", "name": "db"}]}' where id = $1`
  await database.query(data, [ids['gegevens']])
  const before = stage.digest(from)
  const begun = await begin(stage, from)
  t.equal(begun.status, 202, JSON.stringify(begun.body))
  t.same(
    begun.body.parts.map(({ hosting, state }: any) => [hosting, state]),
    [
      ['urgent', 'waiting'],
      ['snel', 'waiting'],
      ['gewoon', 'waiting'],
      ['zonder', 'left-out'],
      ['gegevens', 'left-out'],
    ],
  )
  const { createdAt, expiresAt } = begun.body
  t.equal(
    Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 3_600_000),
    8,
    'it has eight hours for all of them',
  )
  stage.lead()
  const drill = await stage.over(begun.body.id)
  t.match(drill, {
    state: 'passed',
    from,
    steps: [{ name: 'drilled', note: '3 of 5 hostings drilled' }, { name: 'done' }],
  })
  const parts = drill.parts.filter(({ drillId }: any) => drillId !== null)
  t.same(
    parts.map(({ hosting, state }: any) => `${hosting} ${state}`),
    ['urgent passed', 'snel passed', 'gewoon passed'],
  )
  t.same(
    parts.map(({ drillId }: any) => drillId).toSorted(),
    parts.map(({ drillId }: any) => drillId),
    'in this order',
  )
  t.equal(stage.digest(from), before, 'where they run nothing has changed')
  await nothingLeft(t, stage)

  const report = await reportOf(stage, drill.id)
  t.match(report, {
    result: 'passed',
    subject: { kind: 'datacenter', name: from },
    rto: { kept: true },
    operations: [],
  })
  t.match(report.findings, [
    { weight: 'note', code: 'part-left-out', en: /zonder: it has no fallback/ },
    { weight: 'note', code: 'part-left-out', en: /gegevens: its data \(cnpg db\).*hold a live drill/ },
  ])
  const slowest = Math.max(...report.parts.slice(0, 3).map(({ rto }: any) => rto.achievedSeconds))
  t.ok(slowest > 0 && report.rto.achievedSeconds === slowest, 'the longest')
  for (const part of report.parts.slice(0, 3)) {
    const own = (await stage.ask('consumer', 'GET', `drills/${part.drillId}`)).body
    t.match(own, { partOf: drill.id, hosting: part.hosting, kind: 'shadow', state: 'passed', sha256: part.sha256 })
    t.ok(Date.parse(own.expiresAt) <= Date.parse(own.createdAt) + 3_600_000, 'it holds its room for an hour at most')
    const text = `${JSON.stringify((await stage.ask('consumer', 'GET', `drills/${part.drillId}/report`)).body, null, 2)}\n`
    t.equal(createHash('sha256').update(text).digest('hex'), part.sha256, 'the hash is that of its own report')
  }
  t.match(report.parts[2], { hosting: 'gewoon', result: 'passed', rto: { promisedSeconds: 300, kept: true } })
  const [told] = await database.query<{ data: any }>(
    `select data from events where type = 'drill.finished' and data ->> 'drillId' = $1`,
    [drill.id],
  )
  t.match(told?.data, { result: 'passed', sha256: drill.sha256, name: from })
})

t.test('one person signs one report, which is shown in both languages and on the command line', async (t) => {
  const stage = await drillStage(t)
  const { from, ids } = await hostAll(stage, { een: {}, twee: {} })
  await stage.api.kit.database.query(
    `update placements set wanted = 'released' where hosting_id = $1 and role = 'standby'`,
    [ids['twee']],
  )
  stage.lead()
  const url = await stage.api.listen()
  const run = async (role: 'provider' | 'auditor', ...argv: string[]) => {
    for (;;) {
      const env = { GEMEENTECLOUD_URL: url, GEMEENTECLOUD_TOKEN: stage.api.tokenOf(role) }
      const ran = await cli(['drill', ...argv], { env })
      if (!/Too busy/.test(ran.err)) return ran
    }
  }
  const held = await run('provider', 'run', from, '--datacenter', '--kind', 'shadow', '--wait')
  t.match(
    held,
    { code: 1, out: new RegExp(`^shadow drill of ${from}\nid +drl_\\w+\nstate +failed`) },
    'one was not drilled',
  )
  t.match(held.out, /^een +passed +drl_\w+/m)
  t.match(held.out, /^twee +not-drilled +it has no standby/m)
  const id = /drl_\w+/.exec(held.out)?.[0] ?? ''
  const part = /^een +passed +(drl_\w+)/m.exec(held.out)?.[1] ?? ''
  t.equal((await stage.ask('provider', 'GET', `drills/${part}`)).status, 404, 'the drill of a hosting is of its owner')
  t.match((await stage.ask('consumer', 'GET', `drills?hosting=een`)).body.items, [{ id: part, partOf: id }])
  t.equal((await stage.ask('consumer', 'GET', `drills/${id}`)).status, 404, 'and that of a datacenter of its operator')
  t.match(
    (await run('provider', 'report', id, '--html', '--language', 'nl')).out,
    /<td>Niet beproefd<\/td>.*it has no standby/,
  )
  t.match((await run('provider', 'report', id, '--html')).out, /<th scope="row">een<\/th><td>Passed<\/td>/)
  t.match(await run('provider', 'sign', id, '--statement', 'zelf gedaan, zelf goed'), {
    code: 1,
    err: /another person has to/,
  })
  t.match((await run('auditor', 'sign', id, '--statement', 'gezien en akkoord')).out, /^signed +.*gezien en akkoord/m)
})

t.test('as many at once as there is room for; what never fits is told, and the others go on', async (t) => {
  // Beside what runs and what is held for a loss there is room for one and a half of the small ones.
  const stage = await drillStage(t, ['noord', 'oost'], { cpu: '7500m', memory: '64Gi', pods: '100' })
  const { from } = await hostAll(stage, {
    een: small(),
    twee: small(),
    drie: small(),
    groot: { ...small('1500m'), priority: 5 },
  })
  let most = 0
  const watching = {
    ...stage.sites,
    isolate: async (...asked: Parameters<typeof stage.sites.isolate>) => {
      most = Math.max(most, await stage.claims())
      return stage.sites.isolate(...asked)
    },
  }
  stage.lead({ sites: watching })
  const { body } = await begin(stage, from)
  const drill = await stage.over(body.id)
  t.equal(most, 1, 'one after the other')
  t.same(
    drill.parts.map(({ hosting, state }: any) => `${hosting} ${state}`),
    ['groot not-drilled', 'een passed', 'twee passed', 'drie passed'],
  )
  t.match(drill, {
    state: 'failed',
    findings: [{ code: 'not-drilled', en: /groot was not drilled: there is no room for it beside/ }],
  })
  await nothingLeft(t, stage)
})

t.test('called off, all of it is called off and removed, and nothing begins any more', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { een: {}, twee: {}, drie: {}, vier: {}, vijf: {} })
  stage.lead({ sites: never(stage) })
  const { body } = await begin(stage, from)
  const states = async () => (await read(stage, body.id)).parts.map(({ state }: any) => state)
  await until(async () => stage.shadows().length === 4, 'four are under way')
  t.same(await states(), ['running', 'running', 'running', 'running', 'waiting'], 'no more at once')
  const aborted = await stage.ask('loket', 'POST', `drills/${body.id}/aborts`, { body: { reason: 'storing' } })
  t.equal(aborted.status, 202)
  t.ok(!aborted.body.parts.some(({ state }: any) => state === 'running'), 'at once')
  const drill = await stage.over(body.id)
  t.match(drill, { state: 'aborted', abortedBecause: 'storing' })
  t.same(
    drill.parts.map(({ state }: any) => state),
    ['aborted', 'aborted', 'aborted', 'aborted', 'not-drilled'],
  )
  const because = `drill ${drill.id} of ${from} was called off: storing`
  t.match(await read(stage, drill.parts[0].drillId), { state: 'aborted', abortedBecause: because })
  t.match((await reportOf(stage, drill.id)).parts[4], { result: 'not-drilled', why: /called off before its turn/ })
  const told = await stage.api.kit.database.query(`select 1 from events where type = 'drill.aborting'`)
  t.equal(told.length, 5, 'their owners are told too')
  await nothingLeft(t, stage)
})

t.test('who owns a hosting calls off its own drill, and the others go on', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { mijn: {}, ander: {} })
  const stop = stage.lead({ sites: never(stage) })
  const { body } = await begin(stage, from)
  await until(async () => stage.shadows().length === 2, 'both are under way')
  await stop()
  const [{ drillId }] = (await read(stage, body.id)).parts
  t.equal((await stage.ask('consumer', 'POST', `drills/${body.id}/aborts`, { body: { reason: 'alles' } })).status, 404)
  const own = await stage.ask('consumer', 'POST', `drills/${drillId}/aborts`, { body: { reason: 'niet nu' } })
  t.equal(own.status, 202)
  stage.lead()
  t.match(await stage.over(body.id), {
    state: 'failed',
    findings: [{ code: 'part-not-passed', en: 'mijn has not passed: niet nu' }],
    parts: [{ state: 'aborted' }, { state: 'passed' }],
  })
  await nothingLeft(t, stage)
})

t.test('when its time is up nothing of it is left', async (t) => {
  const stage = await drillStage(t)
  const { from } = await hostAll(stage, { een: {}, twee: {}, drie: {}, vier: {}, vijf: {} })
  const stop = stage.lead({ sites: never(stage) })
  const { body } = await begin(stage, from)
  await until(async () => stage.shadows().length === 4, 'they are under way')
  await stop()
  const { clock } = stage.api.kit
  const kit = { ...stage.api.kit, clock: { ...clock, now: () => clock.now() + 9 * 3_600_000 } }
  stage.lead({ sites: never(stage), kit })
  const drill = await stage.over(body.id)
  t.equal(drill.state, 'failed')
  t.equal(drill.findings[0].code, 'out-of-time')
  t.match(drill.parts[4], { state: 'not-drilled', why: 'time was up before its turn' })
  t.ok(drill.parts.slice(0, 4).every(({ state }: any) => state === 'failed'))
  await nothingLeft(t, stage)
})

t.test('who has left, or cannot be drilled when it is its turn, is told of; the others are drilled', async (t) => {
  const stage = await drillStage(t)
  const { database } = stage.api.kit
  const { from, ids } = await hostAll(stage, { blijft: {}, vertrekt: {}, eindigt: {}, breekt: {} })
  const { body } = await begin(stage, from)
  const role = (was: string, is: string) =>
    database.query('update placements set role = $3 where hosting_id = $1 and role = $2', [ids['vertrekt'], was, is])
  await role('primary', 'former')
  await role('standby', 'primary')
  await role('former', 'standby')
  await database.query(`update hostings set wanted = 'ended' where id = $1`, [ids['eindigt']])
  await database.query(`update hostings set broken = '{}' where id = $1`, [ids['breekt']])
  stage.lead()
  t.match(await stage.over(body.id), {
    state: 'failed',
    parts: [
      { hosting: 'blijft', state: 'passed' },
      { hosting: 'vertrekt', state: 'not-drilled', why: 'it has left there' },
      { hosting: 'eindigt', state: 'not-drilled', why: 'it is ended' },
      { hosting: 'breekt', state: 'not-drilled', why: /what was promised to it is not kept/ },
    ],
  })
  await nothingLeft(t, stage)
})

t.test('refused with the reason, and nothing is begun', async (t) => {
  const stage = await drillStage(t)
  const { database } = stage.api.kit
  const { from, ids } = await hostAll(stage, { een: {}, zonder: { fallback: { mode: 'none' } } })
  const other = Object.keys(stage.datacenters).find((slug) => slug !== from) ?? ''
  const why = async (body: object = {}, slug = from) => {
    const answer = await begin(stage, slug, body)
    return [answer.status, answer.body.errors?.[0]?.pointer ?? answer.body.detail]
  }
  t.match(await why({}, other), [409, `No shadow drill of ${other} can be held: nothing runs there`])
  t.same(await why({ targetId: stage.datacenters[other] }), [400, '/targetId'])
  t.same(await why({ hostingId: ids['een'] }), [400, '/hostingId'])
  t.equal((await stage.begin({ datacenterId: `dc_${'0'.repeat(26)}`, kind: 'live' }, 'loket')).status, 404)
  t.equal((await stage.begin({ datacenterId: stage.datacenters[from], kind: 'shadow' }, 'consumer')).status, 403)
  await database.query(`update hostings set broken = '{}' where id = $1`, [ids['een']])
  const none = /nothing can be drilled\. een: what was promised to it is not kept.*; zonder: it has no fallback$/
  t.match(await why(), [409, none])
  t.match(await why({ kind: 'live' }), [409, none])
  await database.query(`update hostings set broken = null where id = $1`, [ids['een']])
  const plan = { datacenterId: stage.datacenters[from], kind: 'live', cron: '0 4 29 2 *', windowMinutes: 1 }
  await stage.ask('loket', 'POST', 'drill-plans', { body: plan })
  t.match(await why({ kind: 'live' }), [409, /live drills of it have a window, and it is not open now/])
  t.same(await database.query('select 1 from drills'), [])
  t.same(await database.query('select 1 from drill_parts'), [])
  const both = await Promise.all([begin(stage, from), begin(stage, from)])
  t.same(both.map(({ status }) => status).toSorted(), [202, 409], 'one at a time')
  t.match(both.find(({ status }) => status === 409)?.body.detail, /drill drl_\w+ of it is not over yet/)
})
