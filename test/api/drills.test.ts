/** Drills as people meet them: what is refused and why, the report, who signs it, and drills on paper. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { drillStage } from '../support/drill-stage.ts'
import { cli } from '../unit/cli/fake-io.ts'

t.setTimeout(240_000)

t.test('refused with the reason, and nothing is begun', async (t) => {
  const stage = await drillStage(t, ['noord', 'oost', 'west'])
  const { database } = stage.api.kit
  const { id, from, to } = await stage.host('zaak-prod')
  const third = Object.keys(stage.datacenters).find((slug) => slug !== from && slug !== to) ?? ''
  const why = async (body: object) => {
    const answer = await stage.begin({ hostingId: id, kind: 'shadow', ...body })
    return [answer.status, answer.body.detail]
  }
  const during = async (change: string, undo: string, kind: string, expected: RegExp) => {
    await database.query(change, [id])
    t.match(await why({ kind }), [409, expected], expected.source)
    await database.query(undo, [id])
  }
  t.match(await why({ targetId: stage.datacenters[from] }), [409, new RegExp(`it runs at ${from}`)])
  t.match(await why({ targetId: stage.datacenters[third] }), [409, new RegExp(`not fall back there but to ${to}`)])
  const broken = (value: string) => `update hostings set broken = ${value} where id = $1`
  await during(broken(`'{}'`), broken('null'), 'live', /what was promised to it is not kept/)
  const contact = (value: string) =>
    `update datacenters set contact = '${value}' where id in
      (select datacenter_id from placements where hosting_id = $1 and role = 'standby')`
  await during(contact('unreachable'), contact('reachable'), 'shadow', new RegExp(`${to} is unreachable`))
  const role = (was: string, is: string) =>
    `update placements set role = '${is}' where hosting_id = $1 and role = '${was}'`
  await during(role('standby', 'former'), role('former', 'standby'), 'shadow', /it has no standby/)
  const data = `update hostings set spec = spec || '{"data": [{"kind": "cnpg", "name": "db"}]}' where id = $1`
  await during(data, `update hostings set spec = spec - 'data' where id = $1`, 'shadow', /cnpg db.*hold a live drill/)
  const none = await stage.host('zonder', { fallback: { mode: 'none' } })
  t.match(await why({ hostingId: none.id }), [409, /it has no fallback/])

  const operation = await stage.ask('consumer', 'POST', `hostings/${id}/failovers`, {
    body: { reason: 'onderhoud' },
  })
  t.match(await why({}), [409, new RegExp(`operation ${operation.body.id} of it is not over`)])
  await stage.ask('consumer', 'POST', `operations/${operation.body.id}/aborts`, { body: { reason: 'toch niet' } })
  const other = await stage.host('ander')
  const move = await stage.ask('consumer', 'POST', `hostings/${other.id}/failovers`, {
    body: { reason: 'onderhoud' },
  })
  await database.query(`update operations set state = 'running' where id = $1`, [move.body.id])
  t.match(await why({}), [409, new RegExp(`operation ${move.body.id} is under way at one of its datacenters`)])
  await database.query(`update operations set state = 'aborted' where id = $1`, [move.body.id])

  const window = { hostingId: id, kind: 'live', cron: '0 4 29 2 *', windowMinutes: 1 }
  await stage.ask('consumer', 'POST', 'drill-plans', { body: window })
  t.match(await why({ kind: 'live' }), [409, /have a window, and it is not open now/])
  t.equal((await stage.begin({ hostingId: `hst_${'0'.repeat(26)}`, kind: 'plan' })).status, 404)
  t.same(await database.query('select 1 from drills'), [])
  t.equal(await stage.claims(), 0)
})

t.test('a shadow makes way for a failover', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('wijkt')
  const never = { ...stage.sites, look: async () => ({ wanted: 1, waiting: ['Deployment web (0 of 2)'] }) }
  stage.lead({ sites: never })
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  const operation = await stage.ask('consumer', 'POST', `hostings/${id}/failovers`, { body: { reason: 'brand' } })
  t.equal(operation.status, 201, 'a drill stands in nobody’s way')
  await stage.api.kit.database.query(`update operations set state = 'running' where id = $1`, [operation.body.id])
  t.match(await stage.over(body.id), { state: 'aborted', abortedBecause: 'an operation needs the room' })
  t.same([stage.shadows(), await stage.claims()], [[], 0])
})

t.test('the report is evidence: its hash is in the log, another person signs it, and it stays as it is', async (t) => {
  const stage = await drillStage(t)
  const { database } = stage.api.kit
  const { id } = await stage.host('bewijs', { fallback: { mode: 'cold', rtoSeconds: 120, rpoSeconds: 60 } })
  stage.lead()
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  const early = await stage.ask('auditor', 'GET', `drills/${body.id}/report`)
  t.ok([200, 409].includes(early.status))
  const { sha256 } = await stage.over(body.id)
  const url = `${await stage.api.listen()}/api/v1/drills/${body.id}/report`
  const authorization = `Bearer ${stage.api.tokenOf('auditor')}`
  const answer = await fetch(url, { headers: { authorization } })
  const text = await answer.text()
  t.equal(createHash('sha256').update(text).digest('hex'), sha256, 'to the byte')
  t.equal(answer.headers.get('repr-digest'), `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`)
  const [told] = await database.query<{ data: any }>(`select data from events where type = 'drill.finished'`)
  t.match(told?.data, { drillId: body.id, result: 'passed', sha256 })

  for (const [language, title] of [
    ['nl', 'Uitwijktest: bewijs'],
    ['en', 'Failover drill: bewijs'],
  ] as const) {
    const page = await fetch(`${url}?language=${language}`, { headers: { authorization, accept: 'text/html' } })
    const html = await page.text()
    t.match(page.headers.get('content-type'), /^text\/html/)
    t.ok(html.includes(`<html lang="${language}">`) && html.includes(`<h1>${title}</h1>`), title)
    t.notMatch(html, /<script|https?:\/\/|src=/i, 'it needs nothing else')
    t.ok(html.includes(sha256))
  }

  const sign = (as: 'consumer' | 'auditor' | 'loket', hash = sha256) =>
    stage.ask(as, 'POST', `drills/${body.id}/signatures`, {
      body: { sha256: hash, statement: 'gezien en akkoord' },
    })
  t.match((await sign('consumer')).body.detail, /^Who began a drill does not sign it/)
  t.match((await sign('auditor', '0'.repeat(64))).body.detail, /^The report is another/)
  t.match((await sign('auditor')).body, { signatures: [{ sha256, statement: 'gezien en akkoord' }] })
  t.equal((await sign('auditor')).status, 409, 'once a person')
  t.equal((await sign('loket')).status, 200)
  await t.rejects(
    database.query(`update drills set report = '{}', sha256 = 'x' where id = $1`, [body.id]),
    /is written/,
  )
  await t.rejects(database.query(`update drills set signatures = '[]' where id = $1`, [body.id]), /stays/)
})

t.test('on paper: who comes up where, for a hosting and for all of a datacenter', async (t) => {
  const stage = await drillStage(t)
  const { id, from, to } = await stage.host('papier')
  const none = await stage.host('zonder', { fallback: { mode: 'none' } })
  stage.lead()
  const first = await stage.begin({ hostingId: id, kind: 'plan' })
  t.match(await stage.over(first.body.id), { state: 'passed', findings: [{ code: 'unmeasured', weight: 'note' }] })
  const shadow = await stage.begin({ hostingId: id, kind: 'shadow' })
  await stage.over(shadow.body.id)
  const second = await stage.begin({ hostingId: id, kind: 'plan' })
  await stage.over(second.body.id)
  const { outlook } = (await stage.ask('consumer', 'GET', `drills/${second.body.id}/report`)).body
  t.match(outlook, [{ hosting: 'papier', falls: 'back', to, measured: 1 }])
  t.ok(outlook[0].expectedSeconds > 0, 'from what the shadow measured')

  const lost = await stage.begin({ datacenterId: stage.datacenters[from], kind: 'plan' }, 'loket')
  const drill = await stage.over(lost.body.id)
  const report = (await stage.ask('loket', 'GET', `drills/${drill.id}/report`)).body
  t.match(report.subject, { kind: 'datacenter', name: from })
  t.ok(report.outlook.some(({ hosting, falls }: any) => hosting === 'papier' && falls === 'back'))
  if (none.from === from) t.ok(drill.findings.some(({ code }: any) => code === 'no-fallback'))
  await stage.api.kit.database.query(`update datacenters set contact = 'unreachable' where slug = $1`, [to])
  const silent = await stage.begin({ hostingId: id, kind: 'plan' })
  t.match(await stage.over(silent.body.id), {
    state: 'failed',
    findings: [{ code: 'nowhere-to-go', en: /does not answer/ }],
  })
})

t.test('on the command line', async (t) => {
  const stage = await drillStage(t)
  await stage.host('regel')
  stage.lead()
  const url = await stage.api.listen()
  const run = async (role: 'consumer' | 'auditor' | 'loket', ...argv: string[]) => {
    for (;;) {
      const env = { GEMEENTECLOUD_URL: url, GEMEENTECLOUD_TOKEN: stage.api.tokenOf(role) }
      const ran = await cli(['drill', ...argv], { env })
      if (!/Too busy/.test(ran.err)) return ran
    }
  }
  const held = await run('consumer', 'run', 'regel', '--kind', 'shadow', '--wait')
  t.match(held, { code: 0, out: /^shadow drill of regel\nid +drl_\w+\nstate +passed/ })
  const id = /drl_\w+/.exec(held.out)?.[0] ?? ''
  t.match((await run('consumer', 'list', '--hosting', 'regel')).out, new RegExp(`^${id} +regel +shadow +passed`, 'm'))
  t.match((await run('consumer', 'show', id)).out, /^ready +20/m)
  const report = await run('consumer', 'report', id)
  const { sha256 } = (await stage.ask('consumer', 'GET', `drills/${id}`)).body
  t.equal(createHash('sha256').update(report.out).digest('hex'), sha256, 'what is printed is what was hashed')
  t.match((await run('consumer', 'report', id, '--html', '--language', 'nl')).out, /<h1>Uitwijktest: regel<\/h1>/)
  t.match(await run('consumer', 'sign', id, '--statement', 'zelf gedaan, zelf goed'), {
    code: 1,
    err: /another person has to/,
  })
  t.match((await run('auditor', 'sign', id, '--statement', 'gezien en akkoord')).out, /^signed +.*gezien en akkoord/m)
  t.match(await run('consumer', 'abort', id, '--reason', 'te laat'), { code: 1, err: /The drill is passed/ })

  const planned = await run('consumer', 'plan', 'regel', '--kind', 'shadow', '--cron', '0 22 1-7 * 2')
  t.match(planned, {
    code: 0,
    out: /^dpl_\w+: a shadow drill of regel by 0 22 1-7 \* 2 in Europe\/Amsterdam, within 60 minutes; next at 20/,
  })
  const plan = /dpl_\w+/.exec(planned.out)?.[0] ?? ''
  t.match((await run('consumer', 'plans')).out, new RegExp(`^${plan} +regel `, 'm'))
  t.match(await run('consumer', 'unplan', plan), { code: 0 })
  t.match(await run('consumer', 'plan', 'regel', '--kind', 'shadow', '--cron', 'elke dinsdag'), { code: 2 })
})
