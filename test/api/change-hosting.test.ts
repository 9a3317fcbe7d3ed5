/** A hosting that stands is changed in place: more is claimed before the quota grows, less only once it is not used. */
import t from 'tap'
import { selectPlacements, updateApplied } from '../../services/broker/clusters/store.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { grantAll } from '../support/granted.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const patience = { prefer: 'wait=20' }
const web = (replicas: number, cpu = '500m', memory = '1Gi') => [{ name: 'web', replicas, requests: { cpu, memory } }]

async function stageOf(t: any, more: Parameters<TestApi['activeDatacenter']>[0] = {}) {
  const api = await testApi(t)
  const sites = [
    await api.activeDatacenter({ slug: 'noord', ...more }),
    await api.activeDatacenter({ slug: 'oost', ...more }),
  ]
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  api.schedule()
  const host = async (name: string, body: object = {}) => {
    const asked = { name, systemId: system.body.id, components: web(2), fallback: { mode: 'cold' }, ...body }
    const { body: hosting } = await api.call('consumer', 'POST', 'hostings', { body: asked, headers: patience })
    await grantAll(api.kit.database)
    return hosting
  }
  const change = (id: string, body: object, headers: object = patience, query = '') =>
    api.call('consumer', 'PATCH', `hostings/${id}${query}`, { body, headers: { ...headers } })
  const show = async (id: string) => (await api.call('consumer', 'GET', `hostings/${id}`)).body
  const claims = async (id: string) =>
    api.kit.database.query<{ kind: string; pods: number; cpu: number; target: number | null }>(
      `select kind, (amounts ->> 'pods')::int as pods, (amounts ->> 'cpu')::int as cpu, (target ->> 'pods')::int as target
       from claims
       where hosting_id = $1 and released_at is null order by kind`,
      [id],
    )
  const sound = async () => {
    t.same(await selectOverbooked(api.kit.database, sites, new Date()), [], 'nothing is promised twice')
    t.same(await miscounted(api.kit.database), [])
  }
  /** What the clusters would tell: everything stands, and no more is used than it. */
  const applied = async (settled: boolean) => {
    for (const site of sites) {
      const rows = await selectPlacements(api.kit.database, site)
      await updateApplied(
        api.kit.database,
        rows.map(({ id, revision }) => ({ placementId: id, revision, settled })),
      )
    }
  }
  const quota = async (id: string) =>
    (await Promise.all(sites.map((site) => selectPlacements(api.kit.database, site))))
      .flat()
      .filter(({ hostingId }) => hostingId === id)
      .map(({ role, amounts }) => ({ role, pods: amounts.pods }))
  return { api, sites, host, change, show, claims, sound, applied, quota }
}

t.test('what grows has its claim at both sites at once, in place', async (t) => {
  const { api, host, change, claims, sound, show, quota } = await stageOf(t)
  const before = await host('groei')
  const answer = await change(before.id, { components: web(5) }, { ...patience, 'if-match': '*' })
  t.equal(answer.status, 200)
  t.match(answer.body, { change: { state: 'applied', decision: { outcome: 'placed' } }, components: web(5) })
  t.same(
    answer.body.placements.map(({ datacenterId }: any) => datacenterId),
    before.placements.map(({ datacenterId }: any) => datacenterId),
  )
  t.ok(answer.body.priceCentsPerMonth > before.priceCentsPerMonth)
  t.match(await claims(before.id), [
    { kind: 'primary', pods: 5, cpu: 2500, target: null },
    { kind: 'standby', pods: 5, cpu: 2500, target: null },
  ])
  t.same(
    (await quota(before.id)).map(({ pods }) => pods),
    [5, 5],
  )
  await sound()
  const types = (await api.eventsOf('consumer', before.id, 4)).map(({ type }) => type)
  t.ok(types.includes('hosting.change-requested') && types.includes('hosting.changed'), types.join())
  t.equal((await show(before.id)).state, 'provisioning')
})

t.test('of what shrinks the quota goes first, and the claim once nothing more is used', async (t) => {
  const { host, change, claims, sound, show, applied, quota } = await stageOf(t)
  const { id, priceCentsPerMonth } = await host('krimp', { components: web(4) })
  const answer = await change(id, { components: web(1) })
  t.match(answer.body, { change: { state: 'applying' }, components: web(1) })
  t.ok(answer.body.priceCentsPerMonth < priceCentsPerMonth)
  t.match(await claims(id), [
    { kind: 'primary', pods: 4, target: 1 },
    { kind: 'standby', pods: 4, target: 1 },
  ])
  t.same(
    (await quota(id)).map(({ pods }) => pods),
    [1, 1],
    'no more may start',
  )
  await applied(false)
  await sound()
  t.match(await claims(id), [{ pods: 4 }, { pods: 4 }], 'what is used is still claimed')
  const again = await change(id, { components: web(2) })
  t.equal(again.status, 409, 'one change at a time')
  await applied(true)
  await until(async () => (await show(id)).change.state === 'applied', 'it is through')
  t.match(await claims(id), [
    { kind: 'primary', pods: 1, target: null },
    { kind: 'standby', pods: 1, target: null },
  ])
  await sound()
})

t.test('more of one and less of another: what is claimed meanwhile is the most of both', async (t) => {
  const { host, change, claims, sound, show, applied } = await stageOf(t)
  const { id } = await host('beide', { components: web(4) })
  t.match((await change(id, { components: web(2, '2') })).body, { change: { state: 'applying' } })
  t.match(await claims(id), [
    { pods: 4, cpu: 8000, target: 2 },
    { pods: 4, cpu: 8000, target: 2 },
  ])
  await sound()
  await applied(true)
  await until(async () => (await show(id)).change.state === 'applied', 'it is through')
  t.match(await claims(id), [
    { pods: 2, cpu: 4000 },
    { pods: 2, cpu: 4000 },
  ])
  await sound()
})

t.test('where there is no room everything stays, and it is said why and where there would be', async (t) => {
  const offer = { cpu: '4', memory: '64Gi', pods: '100' }
  const { api, host, change, claims, sound, show } = await stageOf(t, { offer })
  const { id, placements } = await host('vol', { fallback: { mode: 'none' } })
  await api.activeDatacenter({ slug: 'ruim' })
  const { body, status } = await change(id, { components: web(20) })
  t.equal(status, 200)
  t.match(body, { components: web(2), change: { state: 'refused', wanted: { components: web(20) } } })
  t.match(body.change.decision, {
    outcome: 'unschedulable',
    refusals: [{ role: 'primary', rule: 'offer-short', resource: 'cpu' }],
  })
  t.match(body.change.elsewhere.alternatives[0].primary, { datacenter: 'ruim' })
  t.match(await claims(id), [{ kind: 'primary', pods: 2 }])
  t.same(body.placements[0].datacenterId, placements[0].datacenterId)
  await sound()
  const dutch = (await api.call('consumer', 'GET', `hostings/${id}?language=nl`)).body.change.decision
  t.not(dutch.summary, body.change.decision.summary)
  t.match((await change(id, { components: web(3) })).body, { change: { state: 'applied' } }, 'a later one may fit')
  t.equal((await show(id)).components[0].replicas, 3)
})

t.test('the standby has to have room as well', async (t) => {
  const { api, sites, host, change, sound } = await stageOf(t)
  const { id, placements } = await host('klem', { components: web(2), fallback: { mode: 'hot' } })
  const standby = placements.find(({ role }: any) => role === 'standby').datacenterId
  t.ok(sites.includes(standby))
  await api.kit.database.query(
    `update offers set amounts = '{"cpu": 1500, "memory": 274877906944, "pods": 300}' where datacenter_id = $1`,
    [standby],
  )
  await api.kit.database.query('update datacenters set generation = generation + 1 where id = $1', [standby])
  const { body } = await change(id, { components: web(4) })
  t.match(body.change, { state: 'refused', decision: { refusals: [{ role: 'standby', rule: 'offer-short' }] } })
  await sound()
})

t.test('the period and the priority change too', async (t) => {
  const { api, host, change, sound, show } = await stageOf(t)
  const later = '2098-01-01T00:00:00.000Z'
  const { id } = await host('lang', { period: { start: '2026-01-01T00:00:00Z', end: '2097-01-01T00:00:00Z' } })
  t.match((await change(id, { period: { end: later }, priority: 7 })).body, {
    change: { state: 'applied' },
    priority: 7,
  })
  t.equal(new Date((await show(id)).period.end).toISOString(), later)
  const ends = await api.kit.database.query<{ ends_at: Date }>('select ends_at from claims where hosting_id = $1', [id])
  t.same(
    ends.map(({ ends_at }) => ends_at.toISOString()),
    [later, later],
  )
  await sound()
  t.equal((await change(id, { period: { end: '2020-01-01T00:00:00Z' } })).status, 400)
  t.equal((await change(id, { period: { start: '2090-01-01T00:00:00Z' } })).status, 400, 'it has begun')
  t.match((await change(id, { period: { end: null } })).body, { period: { end: null } })
  await sound()
})

t.test('what cannot be asked is told, and changes nothing', async (t) => {
  const { api, host, change, claims, show } = await stageOf(t)
  const volumes = [{ name: 'files', storageClass: 'standaard', size: '5Gi', accessMode: 'ReadWriteOnce' }]
  const { id } = await host('streng', { volumes })
  const before = [await claims(id), (await show(id)).updatedAt]
  const bad: [object, string][] = [
    [{ volumes: [] }, '/volumes'],
    [{ volumes: [{ ...volumes[0], size: '4Gi' }] }, '/volumes/0/size'],
    [{ volumes: [{ ...volumes[0], storageClass: 'gedeeld' }] }, '/volumes/0'],
    [{ components: [{ name: 'web', replicas: 2, requests: { cpu: '1' } }] }, '/components/0/requests/memory'],
    [{ name: 'anders' }, '/name'],
    [{}, ''],
  ]
  for (const [body, pointer] of bad) {
    const answer = await change(id, body)
    t.equal(answer.status, 400, JSON.stringify(body))
    t.match(answer.body.errors?.[0]?.pointer ?? '', pointer)
  }
  t.equal((await change(id, { priority: 3 }, { 'if-match': '"999"' })).status, 412)
  t.same([await claims(id), (await show(id)).updatedAt], before)
  t.match(
    (await change(id, { components: web(2) })).body,
    { change: null },
    'what changes nothing is answered as it is',
  )
  t.match((await change(id, { volumes: [{ ...volumes[0], size: '6Gi' }] })).body, { change: { state: 'applied' } })
  const stranger = await api.newParty('consumer')
  t.equal((await api.call(stranger, 'PATCH', `hostings/${id}`, { body: { priority: 1 } })).status, 404)
})

t.test('a quote of a change tells the difference and takes nothing', async (t) => {
  const { api, host, claims } = await stageOf(t)
  const { id, priceCentsPerMonth } = await host('prijs')
  const { status, body } = await api.call('consumer', 'POST', `hostings/${id}/quotes`, { body: { components: web(4) } })
  t.equal(status, 200)
  t.match(body, { inPlace: true, priceCentsPerMonth: { before: priceCentsPerMonth } })
  t.ok(body.priceCentsPerMonth.after > priceCentsPerMonth)
  t.match(await claims(id), [{ pods: 2 }, { pods: 2 }])
  const none = await api.call('consumer', 'POST', `hostings/${id}/quotes`, { body: { components: web(900) } })
  t.match(none.body, { inPlace: false, priceCentsPerMonth: { after: null }, elsewhere: { outcome: 'unschedulable' } })
})
