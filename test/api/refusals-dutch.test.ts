/** Refusals of failovers and drills in the language of the caller, as a whole: title, detail and what to do. */
import t from 'tap'
import { at, fallbackStage } from '../support/fallback-stage.ts'

t.setTimeout(120_000)

const headers = { 'accept-language': 'nl' }
const reason = 'onderhoud aan de koeling'
const title = 'Kan niet in de huidige toestand'

t.test('failovers', async (t) => {
  const stage = await fallbackStage(t)
  const { call } = stage.api
  stage.lead()
  const alone = await stage.host('alleen', { mode: 'none' })
  const plan = (id: string, more = {}) =>
    call('consumer', 'POST', `hostings/${id}/failovers`, { body: { reason }, ...more })
  await stage.running(alone.id, at(alone, 'primary') ?? '')
  t.match(await plan(alone.id), {
    status: 409,
    headers: { 'content-language': 'en', vary: /accept-language/ },
    body: { title: 'Not possible in its present state', detail: /cannot go elsewhere: it has no standby to go to$/ },
  })
  t.match(await plan(alone.id, { headers }), {
    status: 409,
    headers: { 'content-language': 'nl' },
    body: { title, detail: /^alleen kan niet ergens anders heen: er staat geen uitwijk paraat/, action: /toestand/ },
  })
  const hosting = await stage.host('verhuist')
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  const { id } = (await plan(hosting.id)).body
  t.match((await plan(hosting.id, { headers })).body, {
    title,
    detail: /^Operatie opr_\w+ .*: zij wacht op bevestiging$/,
  })
  const abort = (more = {}) => call('consumer', 'POST', `operations/${id}/aborts`, { body: { reason }, ...more })
  t.equal((await abort()).status, 200)
  t.match((await abort({ headers })).body, { title, detail: 'De operatie is afgebroken' })
  const gone = await plan('hst_0123456789abcdefghjkmnpqrs', { headers })
  t.match(gone, {
    status: 404,
    headers: { 'content-language': 'en' },
    body: { title: 'Not found', detail: /^There is no/ },
  })
})

t.test('drills', async (t) => {
  const stage = await fallbackStage(t)
  const { call } = stage.api
  const stop = stage.api.schedule()
  const alone = await stage.host('alleen', { mode: 'none' })
  await stop()
  const begin = (as: 'consumer' | 'loket', scope: object, kind: string) =>
    call(as, 'POST', 'drills', { body: { ...scope, kind }, headers })
  const refused = await begin('consumer', { hostingId: alone.id }, 'shadow')
  t.match(refused, { status: 409, headers: { 'content-language': 'nl' } })
  t.match(refused.body, { title, detail: 'Van alleen kan nu geen schaduwtest gehouden worden: het heeft geen uitwijk' })
  const datacenterId = at(alone, 'primary')
  const whole = await begin('loket', { datacenterId }, 'live')
  t.match(
    whole.body.detail,
    /geen echte test gehouden worden: van wat daar draait is niets te beproeven\. alleen: het heeft/,
  )
})
