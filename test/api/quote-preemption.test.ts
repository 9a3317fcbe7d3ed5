/** A quote of a priority says whether others would give way for it, names none of them and moves nothing. */
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'
import { storeDigest } from '../support/store-digest.ts'

async function newSystem(api: TestApi): Promise<string> {
  const body = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call('consumer', 'POST', 'systems', { body })).body.id
}

const asked = (systemId: string, cpu: string, more: object = {}) => ({
  systemId,
  components: [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }],
  fallback: { mode: 'none' },
  ...more,
})

async function place(api: TestApi, systemId: string, name: string, cpu: string, more: object = {}, wait = 20) {
  const body = { name, ...asked(systemId, cpu, more) }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: `wait=${wait}` } })).body
}

async function quoted(api: TestApi, systemId: string, cpu: string, more: object = {}, query = '') {
  return (await api.call('consumer', 'POST', `quotes${query}`, { body: asked(systemId, cpu, more) })).body
}

async function taken(api: TestApi) {
  const { hostings, placements, claims, datacenters } = await storeDigest(api.kit.database)
  return { hostings, placements, claims, datacenters }
}

t.test('the place that there would be is told with its price, in the language that is asked', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  api.schedule()
  const systemId = await newSystem(api)
  const gives = await place(api, systemId, 'wijkt', '2', { preemptible: true, priority: 20 })
  await place(api, systemId, 'blijft', '2')

  const before = await taken(api)
  const urgent = await quoted(api, systemId, '2', { priority: 50 })
  t.match(urgent.decision, {
    outcome: 'unschedulable',
    preemption: {
      primary: 'noord',
      standby: null,
      givingWay: 1,
      priceCentsPerMonth: gives.priceCentsPerMonth,
      text: /^a request of this priority gets a place at noord when 1 hosting of a lower priority gives way; nothing is kept/,
    },
  })
  t.notMatch(JSON.stringify(urgent.decision), /wijkt|hst_/, 'nobody is named')
  const again = (await api.call('consumer', 'GET', `quotes/${urgent.id}?language=nl`)).body
  t.match(
    again.decision.preemption.text,
    /^een aanvraag met deze prioriteit krijgt plek in noord, als 1 hosting met een lagere prioriteit wijkt; er wordt niets/,
  )
  t.same(await taken(api), before, 'nothing is taken')

  for (const [why, cpu, more] of [
    ['without a priority', '2', {}],
    ['of the priority that has the place', '2', { priority: 20 }],
    ['of more than gives way', '3', { priority: 50 }],
    ['of what no room helps', '2', { priority: 50, constraints: { regions: ['elders'] } }],
  ] as const)
    t.notOk((await quoted(api, systemId, cpu, more)).decision.preemption, why)

  const pending = await place(api, systemId, 'spoed', '2', { priority: 50 }, 1)
  t.match(pending.decision.summary, /^room is being made/, 'and so it goes for the request that was meant')
  const next = await quoted(api, systemId, '1', { priority: 60 })
  t.match(next.decision.preemption, { givingWay: 0, text: /once those have gone that go already/ })
})

t.test('the room that is made for one is quoted to no one else', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '5', memory: '64Gi', pods: '50' } })
  api.schedule()
  const systemId = await newSystem(api)
  await place(api, systemId, 'wijkt', '2', { preemptible: true })
  await place(api, systemId, 'blijft', '2')
  t.equal((await quoted(api, systemId, '1')).decision.outcome, 'placed')
  const pending = await place(api, systemId, 'spoed', '3', { priority: 50 }, 1)
  t.match(pending.decision.summary, /^room is being made/)
  t.match((await quoted(api, systemId, '1')).decision, { outcome: 'unschedulable' }, 'as it goes with a request')
  t.match(
    (await quoted(api, systemId, '1', { priority: 60 })).decision,
    { outcome: 'placed' },
    'but for who goes first',
  )
})

t.test('a hold has no priority: it is refused as before, and a request takes over what a quote holds', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  api.schedule()
  const systemId = await newSystem(api)
  await place(api, systemId, 'wijkt', '3', { preemptible: true })
  const refused = await quoted(api, systemId, '2', { priority: 50, holdMinutes: 10 })
  t.match(refused, { hold: { state: 'refused' }, decision: { preemption: { givingWay: 1 } } })

  const body = asked(systemId, '1', { priority: 50, holdMinutes: 10 })
  const held = (await api.call('consumer', 'POST', 'quotes', { body, headers: { prefer: 'wait=20' } })).body
  t.match(held, { hold: { state: 'held' }, request: { priority: 50 } })
  const taken = await place(api, systemId, 'spoed', '1', { priority: 50, quoteId: held.id })
  t.match(taken, { priority: 50, decision: { outcome: 'placed' } })
})
