/** Shadows: started beside what runs, apart, with room of their own, and nothing of them left however they end. */
import t, { type Test } from 'tap'
import type { DrillSites } from '../../services/broker/drills/index.ts'
import { type DrillStage, drillStage } from '../support/drill-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(400_000)

const names = ({ steps }: any) => steps.map(({ name }: { name: string }) => name)
const whole = ['claimed', 'isolated', 'started', 'ready', 'removed', 'returned', 'done']

async function nothingLeft(t: Test, stage: DrillStage) {
  t.same(stage.shadows(), [], 'no namespace is left')
  t.equal(await stage.claims(), 0, 'no claim is left')
  t.same(await miscounted(stage.api.kit.database), [])
}

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
  const never: DrillSites = { ...stage.sites, look: async () => ({ wanted: 1, waiting: ['Deployment web (0 of 2)'] }) }
  stage.lead({ sites: never })
  const { body } = await stage.begin({ hostingId: id, kind: 'shadow' })
  const drill = await stage.over(body.id)
  t.match(drill, { state: 'failed', findings: [{ code: 'not-ready', weight: 'fault', en: /web \(0 of 2\)/ }] })
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

/** One call goes wrong: it is not made, or it is made and nobody hears of it. */
function faultySites(inner: DrillSites) {
  let left = Number.POSITIVE_INFINITY
  let isAfter = false
  let calls = 0
  const wrap =
    <A extends unknown[], T>(work: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      calls++
      left--
      if (left === 0 && !isAfter) throw new Error('planted: the call is not made')
      const answer = await work(...asked)
      if (left === 0 && isAfter) throw new Error('planted: the answer is lost')
      return answer
    }
  return {
    isolate: wrap(inner.isolate),
    start: wrap(inner.start),
    look: wrap(inner.look),
    remove: wrap(inner.remove),
    calls: () => calls,
    arm(call: number, side: 'before' | 'after') {
      left = call
      isAfter = side === 'after'
    },
  }
}

/** The same for what is written of drills. */
function faultyWrites(inner: DrillStage['api']['kit']['database']) {
  let left = Number.POSITIVE_INFINITY
  let isAfter = false
  let writes = 0
  return {
    ...inner,
    async transaction<T>(work: Parameters<typeof inner.transaction<T>>[0]): Promise<T> {
      writes++
      left--
      const isDue = left === 0
      const result = await inner.transaction(async (sql) => {
        const done = await work(sql)
        if (isDue && !isAfter) throw new Error('planted: the commit is not made')
        return done
      })
      if (isDue && isAfter) throw new Error('planted: the answer to the commit is lost')
      return result
    },
    writes: () => writes,
    arm(write: number, side: 'before' | 'after') {
      left = write
      isAfter = side === 'after'
    },
  }
}

/** Stands still in the call of a step until released. */
function heldSites(inner: DrillSites, step: string) {
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const hold =
    <A extends unknown[], T>(name: string, work: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      const answer = await work(...asked)
      if (name !== step) return answer
      reached.resolve()
      await gate.promise
      return answer
    }
  const sites: DrillSites = {
    isolate: hold('isolated', inner.isolate),
    start: hold('started', inner.start),
    look: hold('ready', inner.look),
    remove: inner.remove,
  }
  return { sites, reached: reached.promise, release: () => gate.resolve() }
}
