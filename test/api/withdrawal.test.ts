/** A datacenter is withdrawn: all that is there moves by a plan, each place made before the old one is left. */
import t from 'tap'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { at, type FallbackStage, fallbackStage, seenEverywhere } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

/** What clusters would tell, again and again until stopped: what is to stand stands, and what is to go has gone. */
function clusters(stage: FallbackStage, t: any): () => Promise<void> {
  let isOver = false
  const { database } = stage.api.kit
  const step = async () => {
    await seenEverywhere(database)
    await database.transaction(async (sql) => {
      await sql.query(
        `with gone as (update placements set wanted = 'released', observed = 'absent' where wanted = 'removed'
           returning id, datacenter_id),
         freed as (update claims set released_at = now() where released_at is null and placement_id in (select id from gone))
         update datacenters set generation = generation + 1 where id in (select datacenter_id from gone)`,
      )
    })
    await database.query('update inventories set observed_at = now()')
  }
  const run = (async () => {
    while (!isOver) {
      await step().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const stop = async () => {
    isOver = true
    await run
  }
  t.teardown(stop)
  return stop
}

/** Looks for what must never be, as often as it can. */
function watchful(stage: FallbackStage, t: any) {
  const { database } = stage.api.kit
  const found: unknown[] = []
  let isOver = false
  const run = (async () => {
    while (!isOver) {
      const overbooked = await selectOverbooked(database, Object.values(stage.datacenters), new Date())
      const twice = await database.query(
        `select hosting_id from placements where wanted = 'present' and role = 'primary' group by 1 having count(*) > 1`,
      )
      const bare = await database.query(
        `select h.name from hostings h where h.wanted = 'running' and h.scheduling = 'placed'
           and h.spec #>> '{fallback,mode}' <> 'none'
           and not exists (select 1 from placements p where p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present')`,
      )
      for (const each of [...overbooked, ...twice, ...bare]) found.push(each)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  t.teardown(async () => {
    isOver = true
    await run
  })
  return found
}

const withdraw = (stage: FallbackStage, name: string) =>
  stage.api.call('loket', 'POST', `datacenters/${stage.datacenters[name]}/withdrawals`, {
    body: { reason: 'het gebouw wordt verkocht' },
  })
/** From the store: the stage has datacenters that stop quicker than anybody may declare. */
const stateOf = async (stage: FallbackStage, name: string) =>
  (
    await stage.api.kit.database.query<{ state: string }>('select state from datacenters where id = $1', [
      stage.datacenters[name],
    ])
  )[0]?.state
const planOf = async (stage: FallbackStage, id: string) => (await stage.api.call('loket', 'GET', `plans/${id}`)).body

t.test('primaries and standbys move away, and what is empty is withdrawn', async (t) => {
  const stage = await fallbackStage(t, { names: ['noord', 'oost', 'zuid'] })
  let stop = stage.lead()
  clusters(stage, t)
  const found = watchful(stage, t)
  const hostings: any[] = []
  for (const [name, fallback] of [
    ['een', { mode: 'cold' }],
    ['twee', { mode: 'hot' }],
    ['drie', { mode: 'none' }],
    ['vier', { mode: 'cold', activity: 'shared' }],
  ] as const)
    hostings.push(await stage.host(name, fallback))
  for (const hosting of hostings.slice(0, 3)) await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  const leave =
    Object.keys(stage.datacenters).find((name) => stage.datacenters[name] === at(hostings[0], 'primary')) ?? ''
  const gone = stage.datacenters[leave] ?? ''
  let answer = await withdraw(stage, leave)
  await until(async () => {
    if (answer.status === 409) answer = await withdraw(stage, leave)
    return answer.status === 202
  }, 'nothing changes while it is planned')
  t.match(answer.body, { state: 'running', application: { reason: 'het gebouw wordt verkocht' } })
  t.equal(await stateOf(stage, leave), 'draining')
  // Whoever leads may end at any moment: another goes on from what stands.
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 400))
    await stop()
    stop = stage.lead()
  }
  await until(async () => (await stateOf(stage, leave)) === 'withdrawn', 'nothing is left there').catch(
    async (error) => {
      t.comment(JSON.stringify((await planOf(stage, answer.body.id)).application, null, 1))
      const { database } = stage.api.kit
      t.comment(
        JSON.stringify(
          await database.query(
            `select h.name, p.role, p.wanted, p.observed, d.slug from placements p
               join hostings h on h.id = p.hosting_id join datacenters d on d.id = p.datacenter_id
             where p.wanted <> 'released' order by 1, 2`,
          ),
        ),
      )
      t.comment(JSON.stringify(await database.query('select id, kind, state, steps, outcome, plan from operations')))
      t.comment(
        JSON.stringify(await database.query('select id, hosting_id, state, target, outcome, operation_id from moves')),
      )
      throw error
    },
  )
  await until(async () => (await planOf(stage, answer.body.id)).state === 'applied', 'the plan is through')
  const { application } = await planOf(stage, answer.body.id)
  t.same([...new Set(application.moves.map(({ state }: any) => state))], ['done'])
  for (const hosting of hostings) {
    const shown = await stage.show(hosting.id)
    t.notOk(
      shown.placements.some(({ datacenterId }: any) => datacenterId === gone),
      `${hosting.name} has left`,
    )
    t.ok(at(shown, 'primary'))
    if (hosting.fallback.mode !== 'none') t.ok(at(shown, 'standby'), `${hosting.name} has a standby`)
    t.equal(shown.placements.length, hosting.fallback.mode === 'none' ? 1 : 2)
  }
  t.same(stage.sites.doubles, [], 'never active twice')
  t.same(found, [], 'at no moment overbooked, nor without a primary')
  t.same(await miscounted(stage.api.kit.database), [])
  const coming = await stage.api.kit.database.query(
    `select 1 from claims where released_at is null and kind = 'coming'`,
  )
  t.same(coming, [], 'nothing is held in full that need not be')
  const again = await withdraw(stage, leave)
  t.equal(again.status, 409)
})

t.test('a plan that is no longer true is refused, and one can be stopped', async (t) => {
  const stage = await fallbackStage(t, { names: ['noord', 'oost', 'zuid'] })
  const stop = stage.lead()
  const still = clusters(stage, t)
  const hosting = await stage.host('een')
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  const from = at(hosting, 'primary') ?? ''
  await stop()
  await still()
  const propose = async () =>
    (await stage.api.call('loket', 'POST', 'plans', { body: { goal: { kind: 'drain', datacenterIds: [from] } } })).body
  const apply = (id: string) =>
    stage.api.call('loket', 'POST', `plans/${id}/applications`, { body: { reason: 'onderhoud' } })
  const stale = await propose()
  const { database } = stage.api.kit
  await database.query('update datacenters set generation = generation + 1 where id = $1', [from])
  const refused = await apply(stale.id)
  t.equal(refused.status, 409)
  const slug = Object.keys(stage.datacenters).find((name) => stage.datacenters[name] === from) ?? '-'
  t.match(refused.body.detail, slug, 'it says what has changed')
  t.equal((await planOf(stage, stale.id)).state, 'proposed')

  const plan = await propose()
  t.match((await apply(plan.id)).body, {
    state: 'running',
    application: { moves: [{ hosting: 'een', state: 'waiting' }] },
  })
  t.equal((await apply(plan.id)).status, 409, 'once')
  const abort = (id: string) => stage.api.call('loket', 'POST', `plans/${id}/aborts`, { body: { reason: 'toch niet' } })
  t.match((await abort(plan.id)).body, { state: 'aborted', application: { moves: [{ state: 'aborted' }] } })
  t.equal((await abort(plan.id)).status, 409)
  const stranger = await stage.api.newParty('provider')
  const body = { reason: 'van een ander' }
  t.equal((await stage.api.call(stranger, 'POST', `plans/${plan.id}/applications`, { body })).status, 404)
  t.equal((await stage.api.call(stranger, 'POST', `datacenters/${from}/withdrawals`, { body })).status, 403)
})

t.test('a change that has no room where it is takes the hosting along, when it may move', async (t) => {
  const stage = await fallbackStage(t, { names: ['noord', 'oost'] })
  stage.lead()
  clusters(stage, t)
  const found = watchful(stage, t)
  const hosting = await stage.host('groeit', { mode: 'none' })
  const from = at(hosting, 'primary') ?? ''
  await stage.running(hosting.id, from)
  const { database } = stage.api.kit
  const small = `{"cpu": 2000, "memory": 274877906944, "pods": 300}`
  await database.query('update offers set amounts = $2 where datacenter_id = $1', [from, small])
  await database.query('update datacenters set generation = generation + 1 where id = $1', [from])
  const body = { components: [{ name: 'web', replicas: 8, requests: { cpu: '500m', memory: '1Gi' } }] }
  const headers = { prefer: 'wait=20' }
  const patch = (query: string) =>
    stage.api.call('consumer', 'PATCH', `hostings/${hosting.id}${query}`, { body, headers })
  t.equal((await patch('')).body.change.state, 'refused')
  t.equal((await patch('?allowMove=true')).body.change.state, 'moving')
  await until(async () => (await stage.show(hosting.id)).change.state === 'applied', 'it has moved and is changed')
  const shown = await stage.show(hosting.id)
  t.not(at(shown, 'primary'), from)
  t.equal(shown.components[0].replicas, 8)
  await until(async () => (await stage.show(hosting.id)).placements.length === 1, 'nothing is left')
  t.same(stage.sites.doubles, [])
  t.same(found, [])
  t.same(await miscounted(database), [])
})
