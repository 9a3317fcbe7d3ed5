/** Shadows: started beside what runs, apart, with room of their own, and nothing of them left however they end. */
import t from 'tap'
import type { DrillSites } from '../../services/broker/drills/index.ts'
import { faultySites, faultyWrites, heldSites } from '../support/drill-faults.ts'
import { drillStage, nothingLeft } from '../support/drill-stage.ts'
import { until } from '../support/until.ts'

t.setTimeout(400_000)

const names = ({ steps }: any) => steps.map(({ name }: { name: string }) => name)
const whole = ['claimed', 'isolated', 'started', 'ready', 'removed', 'returned', 'done']

t.test('a shadow is started where it falls back to, apart, is ready, and is gone', async (t) => {
  const stage = await drillStage(t)
  const { id, from, to } = await stage.host('zaak-prod', { fallback: { mode: 'cold', rtoSeconds: 120 } })
  const before = stage.digest(from)
  const begun = await stage.begin({ hostingId: id, kind: 'shadow' })
  t.equal(begun.status, 202, JSON.stringify(begun.body))
  t.match(begun.body, { state: 'running', from, to, steps: [{ name: 'claimed' }] })
  t.equal(await stage.claims(), 1, 'its room is taken with its row')
  const seen: { labels: any; policies: string[]; quota: any }[] = []
  const watching: DrillSites = {
    ...stage.sites,
    look: async (...asked) => {
      const readiness = await stage.sites.look(...asked)
      seen.push(stage.shadowAt(to, 'zaak-prod-drill'))
      return readiness
    },
  }
  stage.lead({ sites: watching })
  const drill = await stage.over(begun.body.id)
  t.match(drill, { state: 'passed', findings: [] })
  t.same(names(drill), whole)
  t.ok(drill.steps.every(({ endedAt }: any) => endedAt !== null))
  t.match(seen.at(-1), {
    labels: { 'gemeentecloud.nl/hosting': drill.id, 'gemeentecloud.nl/activity': 'shared' },
    quota: { pods: '2', 'requests.cpu': '1' },
  })
  t.ok(seen.at(-1)?.policies.includes('gemeentecloud-default-deny'), 'nothing gets in or out')
  t.equal(stage.digest(from), before, 'where it runs nothing has changed')
  await nothingLeft(t, stage)
  const report = await stage.ask('auditor', 'GET', `drills/${drill.id}/report`)
  t.match(report.body, { result: 'passed', rto: { promisedSeconds: 120, kept: true }, rpo: { achievedSeconds: null } })
})

t.test(
  'broken off at every call and at every write, before it or after it: the same end, and nothing left',
  async (t) => {
    const stage = await drillStage(t)
    const { id } = await stage.host('taai')
    const faulty = faultySites(stage.sites)
    const database = faultyWrites(stage.api.kit.database)
    let counted = { calls: 0, writes: 0 }
    const run = async () => {
      const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
      const stop = stage.lead({ sites: faulty, database })
      const drill = await stage.over(body.id)
      await stop()
      return drill
    }
    await run()
    counted = { calls: faulty.calls(), writes: database.writes() }
    t.ok(counted.calls >= 4 && counted.writes >= 7, JSON.stringify(counted))
    for (const side of ['before', 'after'] as const) {
      for (let call = 1; call <= counted.calls; call++) {
        faulty.arm(call, side)
        t.match(await run(), { state: 'passed' }, `${side} call ${call}`)
        await nothingLeft(t, stage)
      }
      for (let write = 1; write <= counted.writes; write++) {
        database.arm(write, side)
        t.match(await run(), { state: 'passed' }, `${side} write ${write}`)
        await nothingLeft(t, stage)
      }
    }
  },
)

t.test('called off at each step it leaves nothing, and has not passed', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('afgeblazen')
  for (const step of whole.slice(0, 4)) {
    const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
    const held = heldSites(stage.sites, step)
    const stop = stage.lead({ sites: held.sites })
    if (step !== 'claimed') await held.reached
    const aborted = await stage.ask('consumer', 'POST', `drills/${body.id}/aborts`, {
      body: { reason: 'niet nu' },
    })
    t.match([aborted.status, aborted.body.state], [202, 'aborting'], step)
    held.release()
    const drill = await stage.over(body.id)
    t.match(drill, { state: 'aborted', abortedBecause: 'niet nu' }, step)
    t.same(names(drill).slice(-3), ['removed', 'returned', 'done'])
    const again = await stage.ask('consumer', 'POST', `drills/${body.id}/aborts`, { body: { reason: 'nog eens' } })
    t.equal(again.status, 409)
    await nothingLeft(t, stage)
    await stop()
  }
})

t.test('what is not ready in time has failed, and is gone all the same', async (t) => {
  const stage = await drillStage(t)
  const { id, to } = await stage.host('traag', { fallback: { mode: 'cold', rtoSeconds: 1 } })
  const waiting = ['Deployment web (0 of 2)', 'pod web-0 and 1 more: ErrImagePull: no such image']
  const never: DrillSites = { ...stage.sites, look: async () => ({ wanted: 1, waiting }) }
  stage.lead({ sites: never })
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  const drill = await stage.over(body.id)
  t.match(drill, {
    state: 'failed',
    findings: [{ code: 'not-ready', weight: 'fault', en: /web \(0 of 2\); pod web-0.*: no such image$/ }],
  })
  t.match(drill.steps.find(({ name }: any) => name === 'ready').note, /ErrImagePull: no such image$/)
  const { body: report } = await stage.ask('loket', 'GET', `drills/${drill.id}/report`)
  t.match(report.findings, [{ nl: /^Niet alles was op tijd gereed: .*ErrImagePull: no such image$/ }])
  await nothingLeft(t, stage)
  t.ok(to)
})

t.test('while the site does not say that nothing is left the room stays taken', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('stil')
  let isSilent = true
  const silent: DrillSites = {
    ...stage.sites,
    remove: (...asked) => (isSilent ? Promise.reject(new Error('no answer')) : stage.sites.remove(...asked)),
  }
  stage.lead({ sites: silent })
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  const read = async () => (await stage.ask('loket', 'GET', `drills/${body.id}`)).body
  await until(async () => (await read()).steps.at(-1)?.note === 'no answer', 'it tries to remove it')
  t.equal(await stage.claims(), 1)
  isSilent = false
  t.match(await stage.over(body.id), { state: 'passed' })
  await nothingLeft(t, stage)
})

t.test('a drill takes nothing of what is held for a loss', async (t) => {
  // At either site there is room for what runs there, and for one of the two to come: not for a third.
  const stage = await drillStage(t, ['noord', 'oost'], { cpu: '2500m', memory: '64Gi', pods: '100' })
  const { id } = await stage.host('krap', {
    components: [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }],
  })
  const other = await stage.host('ander', {
    components: [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }],
  })
  t.ok(other.to, 'both have a standby')
  const refused = await stage.begin({ hostingId: id, kind: 'shadow' })
  t.match([refused.status, refused.body.detail], [409, /no room for it beside what is held for a loss/])
  await nothingLeft(t, stage)
})
