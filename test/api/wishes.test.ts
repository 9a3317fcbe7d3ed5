/** What a request may wish of where it lands, beside what it must have, reaches the engine as it was written. */
import t from 'tap'
import { desiredObjects } from '../../services/broker/clusters/core/desired.ts'
import { selectPlacements } from '../../services/broker/clusters/store.ts'
import { type TestApi, testApi } from '../support/api.ts'

async function newSystem(api: TestApi): Promise<string> {
  const body = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call('consumer', 'POST', 'systems', { body })).body.id
}

async function ask(api: TestApi, systemId: string, name: string, more: object) {
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }]
  const body = { name, systemId, components, fallback: { mode: 'none' }, ...more }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })).body
}

t.test('one replica per zone: as many as there are zones, whatever room one of them has', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'een', nodes: 4, zones: ['a'] })
  await api.activeDatacenter({ slug: 'drie', nodes: 6, zones: ['a', 'b', 'c'] })
  await api.activeDatacenter({ slug: 'geen', nodes: 6 })
  api.schedule()
  const systemId = await newSystem(api)
  const web = { name: 'web', requests: { cpu: '500m', memory: '1Gi' }, onePerZone: true }
  const three = await ask(api, systemId, 'drie', { components: [{ ...web, replicas: 3 }] })
  t.match(three.placements, [{ datacenter: 'drie' }])
  const [{ witness }] = (await api.kit.database.query<{ witness: { node: string }[] }>(
    'select witness from placements',
  )) as [{ witness: { node: string }[] }]
  t.equal(
    new Set(witness.map(({ node }) => Number(node.replace('node-', '')) % 3)).size,
    3,
    'each in a zone of its own',
  )
  const four = await ask(api, systemId, 'vier', { components: [{ ...web, replicas: 4 }] })
  t.equal(four.state, 'unschedulable')
  t.match(
    four.decision.refusals.map((r: { datacenter: string; rule: string; missing: string }) => [
      r.datacenter,
      r.rule,
      r.missing,
    ]),
    [
      ['een', 'node-fit', '3'],
      ['drie', 'node-fit', '1'],
      ['geen', 'node-fit', '4'],
    ],
  )
})

t.test('weights choose between places that all fit, and the score tells it', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'zuinig', pue: 1.1, tariff: { cpu: 20_000_000 } })
  await api.activeDatacenter({ slug: 'goedkoop', pue: 1.8, tariff: { cpu: 10_000_000 } })
  api.schedule()
  const systemId = await newSystem(api)
  const at = async (name: string, weights?: object) => {
    const hosting = await ask(api, systemId, name, weights ? { constraints: { weights } } : {})
    const { datacenter, score } = hosting.decision.alternatives[0].primary
    return { datacenter, energy: score.find(({ term }: { term: string }) => term === 'energy')?.value }
  }
  t.same(await at('gewoon'), { datacenter: 'goedkoop', energy: undefined }, 'energy counts when it is asked for')
  t.same(await at('groen', { energy: 100, price: 0 }), { datacenter: 'zuinig', energy: 909 })
  t.same(await at('beetje', { energy: 100 }), { datacenter: 'goedkoop', energy: 555 }, 'the price weighs more here')
  t.same(await at('zeer', { energy: 1000 }), { datacenter: 'zuinig', energy: 9090 }, 'ten times as much')
  const wrong = await ask(api, systemId, 'fout', { constraints: { weights: { sfeer: 100 } } })
  t.equal(wrong.status, 400)
})

t.test('storage on the nodes is where the replica is: the pool of the datacenter does not help', async (t) => {
  const api = await testApi(t)
  const Gi = 2 ** 30
  const offer = { cpu: '64', memory: '256Gi', pods: '300', 'storage/lokaal': '300Gi', 'storage/standaard': '300Gi' }
  const id = await api.activeDatacenter({ slug: 'noord', offer, nodes: 3, localBytes: 100 * Gi })
  api.schedule()
  const systemId = await newSystem(api)
  const database = (replicas: number, storage: object) => ({
    components: [{ name: 'db', replicas, requests: { cpu: '500m', memory: '1Gi', ...storage } }],
  })
  const three = await ask(api, systemId, 'drie', database(3, { 'storage/lokaal': '60Gi' }))
  t.equal(three.decision.outcome, 'placed')
  const [{ nodes }] = (await api.kit.database.query<{ nodes: number }>(
    `select jsonb_array_length(witness)::int as nodes from placements`,
  )) as [{ nodes: number }]
  t.equal(nodes, 3, 'one on each node, for none has room for two')
  const fourth = await ask(api, systemId, 'vierde', database(1, { 'storage/lokaal': '60Gi' }))
  t.match(fourth.decision.refusals, [{ rule: 'node-size', resource: 'storage/lokaal', asked: String(60 * Gi) }])
  const pooled = await ask(api, systemId, 'gedeeld', database(2, { 'storage/standaard': '120Gi' }))
  t.equal(pooled.decision.outcome, 'placed', 'of a class that is not on the nodes the sum counts')

  const rows = await selectPlacements(api.kit.database, id)
  const hard = (name: string) => {
    const quota: any = desiredObjects(rows.find((row) => row.name === name) as never)[1]?.spec
    return quota.hard
  }
  t.match(hard('drie'), { persistentvolumeclaims: '3', 'requests.storage': '180Gi' })
  t.match(hard('gedeeld'), { persistentvolumeclaims: '2', 'requests.storage': '240Gi' })
})
