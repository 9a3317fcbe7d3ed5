/** A standby that runs a little or all claims that for itself; only what waits for a loss is shared. */
import t from 'tap'
import { desiredObjects } from '../../services/broker/clusters/core/desired.ts'
import { selectPlacements } from '../../services/broker/clusters/store.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { grantAll } from '../support/granted.ts'
import { miscounted } from '../support/miscounted.ts'

const noord = { latitude: 53.2, longitude: 6.5 }
const zuid = { latitude: 51.4, longitude: 5.5 }

async function newSystem(api: TestApi): Promise<string> {
  const body = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call('consumer', 'POST', 'systems', { body })).body.id
}

async function ask(api: TestApi, systemId: string, name: string, fallback: object, more: object = {}) {
  const components = [{ name: 'web', replicas: 4, requests: { cpu: '500m', memory: '1Gi' } }]
  const body = { name, systemId, components, fallback, ...more }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })).body
}

const claimsOf = (api: TestApi, hostingId: string) =>
  api.kit.database.query<{ kind: string; cpu: number; pods: number }>(
    `select kind, (amounts ->> 'cpu')::int as cpu, (amounts ->> 'pods')::int as pods from claims
     where hosting_id = $1 order by kind`,
    [hostingId],
  )

t.test('warm: the replicas that run are claimed in full, the others shared; hot: all in full', async (t) => {
  const api = await testApi(t)
  const offer = { cpu: '64', memory: '256Gi', pods: '300' }
  await api.activeDatacenter({ slug: 'noord', position: noord, offer })
  await api.activeDatacenter({ slug: 'zuid', position: zuid, offer })
  api.schedule()
  const systemId = await newSystem(api)
  const warm = await ask(api, systemId, 'warm', { mode: 'warm' })
  t.same(await claimsOf(api, warm.id), [
    { kind: 'primary', cpu: 2000, pods: 4 },
    { kind: 'standby', cpu: 1500, pods: 3 },
    { kind: 'standing', cpu: 500, pods: 1 },
  ])
  t.match(warm.decision.summary, /falls back to (noord|zuid), where a few replicas run$/)
  const hot = await ask(api, systemId, 'hot', { mode: 'hot' })
  t.match(hot.decision, { summary: /where all of it runs$/, alternatives: [{ standby: { mode: 'hot' } }] })
  const dutch = await api.call('consumer', 'GET', `hostings/${hot.id}?language=nl`)
  t.match(dutch.body.decision.summary, /wijkt uit naar (noord|zuid), waar alles draait$/)
  t.same(await claimsOf(api, hot.id), [
    { kind: 'primary', cpu: 2000, pods: 4 },
    { kind: 'standing', cpu: 2000, pods: 4 },
  ])
  const whole = await ask(api, systemId, 'whole', { mode: 'warm', warmReplicas: 9 })
  t.same(
    (await claimsOf(api, whole.id)).map(({ kind }) => kind),
    ['primary', 'standing'],
    'nothing is left to share',
  )
  t.same(await miscounted(api.kit.database), [])

  await grantAll(api.kit.database)
  const quotas = async (id: string) => {
    const sites = (await api.call('consumer', 'GET', `hostings/${id}`)).body.placements
    const rows = await Promise.all(
      sites.map((p: { datacenterId: string }) => selectPlacements(api.kit.database, p.datacenterId)),
    )
    return Object.fromEntries(
      rows.flat().flatMap((row) => {
        const quota: any = desiredObjects(row)[1]?.spec
        return row.hostingId === id ? [[row.role, [quota.hard.pods, quota.hard['requests.cpu']]]] : []
      }),
    )
  }
  t.same(await quotas(warm.id), { primary: ['4', '2'], standby: ['1', '500m'] })
  t.same(await quotas(hot.id), { primary: ['4', '2'], standby: ['4', '2'] })
  const cold = await ask(api, systemId, 'cold', { mode: 'cold' })
  t.equal((await quotas(cold.id)).standby[0], '0')

  const capacity = (await api.call('consumer', 'GET', `datacenters/${hot.placements[0].datacenterId}/capacity`)).body
  const cpu = capacity.resources.find((r: { resource: string }) => r.resource === 'cpu')
  const parts = [cpu.hosted, cpu.fallbackReserved, cpu.free].map(Number)
  t.equal(
    parts.reduce((sum, part) => sum + part, 0),
    64,
    'each core is hosted, held or free',
  )
})

t.test('of warm standbys for sites that cannot fail together only what does not run shares its room', async (t) => {
  const api = await testApi(t)
  // At the two others there is room for one primary each, so all standbys come to `midden`.
  const small = { cpu: '2', memory: '64Gi', pods: '50' }
  const ids = [
    await api.activeDatacenter({ slug: 'noord', position: noord, region: 'noord', offer: small }),
    await api.activeDatacenter({ slug: 'zuid', position: zuid, region: 'zuid', offer: small }),
    // Two of 500m run, three of the others are shared: 2,500m and no more.
    await api.activeDatacenter({ slug: 'midden', region: 'midden', offer: { ...small, cpu: '2500m' } }),
  ]
  api.schedule()
  const systemId = await newSystem(api)
  const first = await ask(api, systemId, 'een', { mode: 'warm' })
  const second = await ask(api, systemId, 'twee', { mode: 'warm' })
  t.same(
    [first, second].map(({ placements }) => placements.find((p: { role: string }) => p.role === 'standby')?.datacenter),
    ['midden', 'midden'],
  )
  const third = await ask(api, systemId, 'drie', { mode: 'hot' })
  t.equal(third.state, 'unschedulable')
  t.same(await selectOverbooked(api.kit.database, ids, new Date()), [])
  await api.kit.database.query(
    `update claims set amounts = amounts || '{"cpu": 501}' where kind = 'standing'
    and hosting_id = $1`,
    [first.id],
  )
  t.match(
    await selectOverbooked(api.kit.database, ids, new Date()),
    [{ datacenter_id: ids[2], resource: 'cpu', taken: 2501, offered: 2500 }],
    'the store counts what runs at a standby beside the shared reserve',
  )
})

t.test('a standby that runs stays whole in a picture that is read anew', async (t) => {
  const api = await testApi(t)
  const offer = { cpu: '4', memory: '64Gi', pods: '50' }
  await api.activeDatacenter({ slug: 'noord', position: noord, offer })
  await api.activeDatacenter({ slug: 'zuid', position: zuid, offer })
  const stop = api.schedule()
  const systemId = await newSystem(api)
  await ask(api, systemId, 'heet', { mode: 'hot' })
  await stop()
  await api.kit.database.query(`update hostings set spec = '{"components": 5, "fallback": {"mode": "hot"}}'`)
  api.schedule()
  // Two cores are left at each, and a hosting of two cores with its hot standby takes them; the next has none.
  t.equal((await ask(api, systemId, 'past', { mode: 'hot' })).decision.outcome, 'placed')
  t.equal((await ask(api, systemId, 'past-niet', { mode: 'none' })).decision.outcome, 'unschedulable')
})

t.test('what a mode does not know is refused', async (t) => {
  const api = await testApi(t)
  const systemId = await newSystem(api)
  for (const fallback of [
    { mode: 'cold', warmReplicas: 1 },
    { mode: 'none', warmReplicas: 1 },
  ]) {
    const refused = await ask(api, systemId, 'fout', fallback)
    t.match(refused.errors, [{ pointer: '/fallback/warmReplicas' }])
  }
})
