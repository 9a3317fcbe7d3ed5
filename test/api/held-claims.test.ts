/** What is claimed counts until it is released, whatever became of the rest of its hosting. */
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'

const utrecht = { latitude: 52.09, longitude: 5.12 }
const groningen = { latitude: 53.22, longitude: 6.57 }

async function newSystem(api: TestApi): Promise<string> {
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  return (await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Z', classes } })).body.id
}

/** Asks for cores and waits for the decision. */
function ask(api: TestApi, systemId: string, name: string, cpu: string, more: object = {}) {
  const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }]
  const body = { name, systemId, components, fallback: { mode: 'none' }, ...more }
  return api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=10' } })
}

/** As the cluster loop does when the absence of one seat is confirmed. */
async function release(api: TestApi, hostingId: string, kind: 'primary' | 'standby'): Promise<void> {
  const { database } = api.kit
  await database.query(`update hostings set wanted = 'ended' where id = $1`, [hostingId])
  await database.query(`update placements set wanted = 'released' where hosting_id = $1`, [hostingId])
  await database.query(
    `with c as (update claims set released_at = now() where hosting_id = $1 and kind = $2 returning datacenter_id)
     update datacenters set generation = generation + 1 where id in (select datacenter_id from c)`,
    [hostingId, kind],
  )
}

for (const released of ['primary', 'standby'] as const) {
  const other = released === 'primary' ? 'standby' : 'primary'
  t.test(`when the ${released}'s claim is released, the ${other}'s counts on and nothing stands still`, async (t) => {
    const api = await testApi(t)
    const offer = { cpu: '4', memory: '64Gi', pods: '50' }
    await api.activeDatacenter({ slug: 'utrecht', position: utrecht, offer })
    await api.activeDatacenter({ slug: 'groningen', position: groningen, offer })
    const systemId = await newSystem(api)
    const stop = api.schedule()
    const { body: first } = await ask(api, systemId, 'first', '3', { fallback: { mode: 'cold' } })
    t.equal(first.state, 'provisioning')
    const kept = first.placements.find((p: { role: string }) => p.role === other).datacenterId
    await release(api, first.id, released)

    const full = await ask(api, systemId, 'full', '3')
    t.equal(full.body.state, 'provisioning', 'the scheduler goes on')
    t.not(full.body.placements[0].datacenterId, kept, 'what was released is free, what was not is taken')
    const quoted = await api.call('consumer', 'POST', 'quotes', {
      body: {
        systemId,
        components: [{ name: 'web', replicas: 1, requests: { cpu: '2', memory: '1Gi' } }],
        fallback: { mode: 'none' },
      },
    })
    t.equal(quoted.status, 201, 'quotes go on')
    t.equal(quoted.body.decision.outcome, 'unschedulable', 'and see the claim that stands')

    await stop()
    api.schedule()
    t.equal((await ask(api, systemId, 'again', '1')).body.state, 'provisioning', 'also from scratch')
    t.equal((await ask(api, systemId, 'too-much', '2')).body.state, 'unschedulable')
  })
}

t.test('a hosting that cannot be read any more counts as what it claims', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  const systemId = await newSystem(api)
  api.schedule()
  const first = await ask(api, systemId, 'first', '3')
  await api.kit.database.query(`update hostings set spec = '{"components": 5}' where id = $1`, [first.body.id])
  await api.kit.database.query('update datacenters set generation = generation + 1')
  t.match((await ask(api, systemId, 'second', '2')).body.decision.refusals, [
    { rule: 'offer-short', available: '1000' },
  ])
  t.equal((await ask(api, systemId, 'third', '1')).body.state, 'provisioning')
})

t.test('a picture that has gone wrong is read anew, and the reason given is the true one', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  const systemId = await newSystem(api)
  api.schedule()
  const first = await ask(api, systemId, 'first', '1')
  // More is claimed than the leader knows of: nothing told it, for the generation stays.
  await api.kit.database.query(`update claims set amounts = amounts || '{"cpu": 3000}' where datacenter_id = $1`, [id])
  await api.kit.database.query(
    `update hostings set spec = jsonb_set(spec, '{components,0,requests,cpu}', '"3"') where id = $1`,
    [first.body.id],
  )
  const second = await ask(api, systemId, 'second', '2')
  t.equal(second.body.state, 'unschedulable')
  t.match(second.body.decision.refusals, [{ rule: 'offer-short', available: '1000', asked: '2000' }])
  t.match(second.body.decision.summary, /cpu/)
  t.equal((await ask(api, systemId, 'third', '1')).body.state, 'provisioning')
})

t.test('who waits is put back in the queue when it would fit, and not each time something changes', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  const systemId = await newSystem(api)
  api.schedule()
  const waiting: string[] = []
  for (const name of ['one', 'two', 'three']) {
    waiting.push((await ask(api, systemId, name, '6', { waitForCapacity: true })).body.id)
  }
  const typesOf = async (subject = '') =>
    (await api.call('consumer', 'GET', `events?subject=${subject}`)).body.items.map((e: { type: string }) => e.type)
  for (let change = 0; change < 3; change++) {
    await api.kit.database.query('update datacenters set generation = generation + 1')
    await ask(api, systemId, `between ${change}`, '100m')
  }
  await api.call('provider', 'POST', `datacenters/${id}/offers`, {
    body: {
      amounts: { cpu: '4', memory: '64Gi', pods: '50' },
      period: { start: '2026-01-01T00:00:00Z', end: null },
      quality: 'guaranteed',
      tariff: {},
    },
  })
  await api.eventsOf('consumer', waiting[0] ?? '', 4)
  t.same(await typesOf(waiting[0]), [
    'hosting.requested',
    'hosting.unschedulable',
    'hosting.requeued',
    'hosting.placed',
  ])
  for (const loser of waiting.slice(1)) t.same(await typesOf(loser), ['hosting.requested', 'hosting.unschedulable'])
})
