/** From request to decision over the API: placed with fallback, refused with reasons, raced for, ended. */
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'

const amersfoort = { latitude: 52.16, longitude: 5.39 }
const wait = { headers: { prefer: 'wait=20' } }

async function newSystem(api: TestApi, as: Parameters<TestApi['call']>[0] = 'consumer'): Promise<string> {
  const body = { slug: 'zaak', name: 'Open Zaak', classes: { availability: 2, integrity: 2, confidentiality: 2 } }
  return (await api.call(as, 'POST', 'systems', { body })).body.id
}

const request = (systemId: string, name: string, more: object = {}) => ({
  name,
  systemId,
  components: [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }],
  fallback: { mode: 'cold' },
  ...more,
})

t.test('a request is placed with a standby in another datacenter, and says so', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: amersfoort })
  api.schedule()
  const systemId = await newSystem(api)
  const { status, body } = await api.call('consumer', 'POST', 'hostings', {
    body: request(systemId, 'zaak-prod'),
    ...wait,
  })
  t.equal(status, 201)
  t.equal(body.state, 'provisioning')
  t.same(body.placements.map((p: { role: string }) => p.role).sort(), ['primary', 'standby'])
  t.equal(new Set(body.placements.map((p: { datacenter: string }) => p.datacenter)).size, 2)
  t.ok(body.priceCentsPerMonth > 0)
  const claims = await api.kit.database.query<{ kind: string; amounts: Record<string, number> }>(
    'select kind, amounts from claims order by kind',
  )
  t.same(claims, [
    { kind: 'primary', amounts: { cpu: 1000, memory: 2 ** 31, pods: 2 } },
    { kind: 'standby', amounts: { cpu: 1000, memory: 2 ** 31, pods: 2 } },
  ])
  const events = await api.eventsOf('consumer', body.id, 2)
  t.same(
    events.map((e: { type: string }) => e.type),
    ['hosting.requested', 'hosting.placed'],
  )
  t.equal(events[0].requestId, events[1].requestId, 'one request id all the way')
  const primary = body.placements.find((p: { role: string }) => p.role === 'primary')
  const capacity = await api.call('provider', 'GET', `datacenters/${primary.datacenterId}/capacity`)
  const cpu = capacity.body.resources.find((r: { resource: string }) => r.resource === 'cpu')
  t.match(cpu, {
    allocatable: '96',
    ownUse: '0',
    offered: '64',
    hosted: '1',
    fallbackReserved: '0',
    free: '63',
    unit: 'core',
  })
})

t.test('a refusal names a reason for every datacenter', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'utrecht', region: 'utrecht' })
  await api.activeDatacenter({ slug: 'zwolle', region: 'overijssel', offer: null })
  api.schedule()
  const systemId = await newSystem(api)
  const constraints = { regions: ['overijssel'] }
  const { status, body } = await api.call('consumer', 'POST', 'hostings', {
    body: request(systemId, 'zaak', { constraints, fallback: { mode: 'none' } }),
    ...wait,
  })
  t.equal(status, 201)
  t.equal(body.state, 'unschedulable')
  t.same(
    Object.fromEntries(body.decision.refusals.map((r: { datacenter: string; rule: string }) => [r.datacenter, r.rule]))
      .utrecht,
    'region',
  )
  t.equal(body.decision.refusals.length, 2)
  for (const refusal of body.decision.refusals) t.ok(refusal.message.length > 10, refusal.message)
  t.equal((await api.kit.database.query('select 1 from claims')).length, 0)
})

t.test('two requests race for the last place: one gets it, the other a reason', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'utrecht', offer: { cpu: '1', memory: '8Gi', pods: '100' } })
  api.schedule()
  const systemId = await newSystem(api)
  const bodies = ['left', 'right'].map((name) => request(systemId, name, { fallback: { mode: 'none' } }))
  const answers = await Promise.all(bodies.map((body) => api.call('consumer', 'POST', 'hostings', { body, ...wait })))
  t.same(answers.map((a) => a.body.state).sort(), ['provisioning', 'unschedulable'])
  const loser = answers.find((a) => a.body.state === 'unschedulable')
  t.match(loser?.body.decision.refusals[0], { rule: /offer/, resource: 'cpu' })
})

t.test('a hosting that waits for capacity is placed when an offer comes', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ slug: 'utrecht', offer: null })
  api.schedule()
  const systemId = await newSystem(api)
  const body = request(systemId, 'zaak', { fallback: { mode: 'none' }, waitForCapacity: true })
  const refused = await api.call('consumer', 'POST', 'hostings', { body, ...wait })
  t.equal(refused.body.state, 'unschedulable')
  await api.call('provider', 'POST', `datacenters/${id}/offers`, {
    body: {
      amounts: { cpu: '8', memory: '64Gi', pods: '50' },
      period: { start: '2026-01-01T00:00:00Z', end: null },
      quality: 'guaranteed',
      tariff: {},
    },
  })
  const deadline = Date.now() + 15_000
  let state = ''
  while (state !== 'provisioning' && Date.now() < deadline) {
    state = (await api.call('consumer', 'GET', `hostings/${refused.body.id}`)).body.state
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.equal(state, 'provisioning')
  const events = await api.eventsOf('consumer', refused.body.id, 4)
  t.same(
    events.map(({ type }) => type),
    ['hosting.requested', 'hosting.unschedulable', 'hosting.requeued', 'hosting.placed'],
  )
})

t.test('a quote takes nothing; ending an unplaced hosting ends it at once, and twice is once', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: amersfoort })
  const systemId = await newSystem(api)
  const { name: _, ...asked } = request(systemId, 'x')
  const quote = await api.call('consumer', 'POST', 'quotes', { body: asked })
  t.equal(quote.status, 201)
  t.equal(quote.body.decision.outcome, 'placed')
  t.ok(quote.body.decision.alternatives.length >= 1)
  t.same((await api.call('consumer', 'GET', `quotes/${quote.body.id}`)).body, quote.body)
  t.equal((await api.kit.database.query('select 1 from claims')).length, 0)

  const pending = await api.call('consumer', 'POST', 'hostings', { body: request(systemId, 'zaak') })
  t.equal(pending.status, 202)
  t.equal(pending.body.state, 'pending')
  const stale = await api.call('consumer', 'DELETE', `hostings/${pending.body.id}`, { headers: { 'if-match': '"9"' } })
  t.equal(stale.status, 412)
  const ended = await api.call('consumer', 'DELETE', `hostings/${pending.body.id}`)
  t.equal(ended.status, 202)
  t.equal(ended.body.state, 'ended')
  t.equal((await api.call('consumer', 'DELETE', `hostings/${pending.body.id}`)).body.state, 'ended')
  const events = await api.eventsOf('consumer', pending.body.id, 2)
  t.same(
    events.map((e: { type: string }) => e.type),
    ['hosting.requested', 'hosting.ended'],
  )
})

t.test('names and fields that cannot be', async (t) => {
  const api = await testApi(t)
  const systemId = await newSystem(api)
  const stranger = await api.newParty('consumer')
  const pointerOf = async (body: object, as: Parameters<TestApi['call']>[0] = 'consumer') => {
    const answer = await api.call(as, 'POST', 'hostings', { body })
    return answer.status === 400 ? answer.body.errors.map((e: { pointer: string }) => e.pointer) : answer.status
  }
  t.same(await pointerOf(request(systemId, 'kube-system')), ['/name'])
  t.same(await pointerOf(request(systemId, 'Zaak')), ['/name'])
  t.same(
    await pointerOf(request(systemId, 'x', { components: [{ name: 'web', replicas: 1, requests: { cpu: '1' } }] })),
    ['/components/0/requests/memory'],
  )
  t.same(
    await pointerOf(
      request(systemId, 'x', { components: [{ name: 'web', replicas: 1, requests: { cpu: '-1', memory: '1Gi' } }] }),
    ),
    ['/components/0/requests/cpu'],
  )
  t.same(
    await pointerOf(request(systemId, 'x', { period: { start: '2030-01-02T00:00:00Z', end: '2030-01-01T00:00:00Z' } })),
    ['/period/end'],
  )
  t.same(await pointerOf(request(systemId, 'x'), stranger), ['/systemId'], 'a system of somebody else')
  t.equal(await pointerOf(request(systemId, 'zaak')), 202)
  const theirs = (
    await api.call(stranger, 'POST', 'systems', {
      body: { slug: 'zaak', name: 'Z', classes: { availability: 1, integrity: 1, confidentiality: 1 } },
    })
  ).body.id
  t.equal(await pointerOf(request(theirs, 'zaak'), stranger), 409, 'a name is unique in the federation')
})

t.test('what is answered before there is a decision is what stands in the store, to the instant', async (t) => {
  const api = await testApi(t)
  const systemId = await newSystem(api)
  const period = { start: '2031-02-03T04:05:06.789Z', end: '2032-01-01T00:00:00.123Z' }
  for (const more of [{}, { period }, { period: { ...period, end: null }, priority: 7, waitForCapacity: true }]) {
    const body = request(systemId, `zaak-${JSON.stringify(more).length}`, more)
    const asked = await api.call('consumer', 'POST', 'hostings', { body })
    const read = await api.call('consumer', 'GET', `hostings/${asked.body.id}`)
    t.same(asked.body, read.body)
    t.equal(asked.status, 202)
  }
})
