/** What fails over by itself and must never run twice is only taken where both sites can really stop what they lost. */
import t from 'tap'
import { testApi } from '../support/api.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

t.test('automatic needs datacenters that fence, and never is for what is pinned', async (t) => {
  const api = await testApi(t)
  const ids = [await api.activeDatacenter({ slug: 'noord' }), await api.activeDatacenter({ slug: 'zuid' })]
  api.schedule()
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '100m', memory: '1Gi' } }]
  const ask = (name: string, fallback: object) =>
    api.call('consumer', 'POST', 'hostings', {
      body: { name, systemId: system.body.id, components, fallback, waitForCapacity: true },
      headers: { prefer: 'wait=20' },
    })
  const refused = await ask('pinned', { mode: 'cold', policy: 'automatic' })
  t.match([refused.status, refused.body.errors], [400, [{ pointer: '/fallback/policy' }]])
  const waits = await ask('exclusief', { mode: 'cold', activity: 'exclusive', policy: 'automatic' })
  t.match(waits.body, { state: 'unschedulable', decision: { refusals: [{ rule: 'capability', asked: 'fencing-2' }] } })
  t.equal(
    (await ask('gevraagd', { mode: 'cold', activity: 'exclusive' })).body.state,
    'provisioning',
    'a person decides',
  )

  const declare = (id: string, body: object) => api.call('provider', 'PUT', `datacenters/${id}/fencing`, { body })
  t.match((await declare(ids[0] ?? '', { level: 2, stopSeconds: 21 })).body, {
    errors: [{ pointer: '/stopSeconds', message: /at most 20/ }],
  })
  for (const id of ids) t.equal((await declare(id, { level: 2, stopSeconds: 20 })).status, 200)
  const state = async () => (await api.call('consumer', 'GET', `hostings/${waits.body.id}`)).body.state
  await until(async () => (await state()) === 'provisioning', 'it is placed once both can')

  await api.kit.database.query('update datacenters set measured_stop_seconds = 20.5, generation = generation + 1')
  const late = await ask('te-laat', { mode: 'cold', activity: 'exclusive', policy: 'automatic' })
  t.equal(late.body.state, 'unschedulable', 'who was seen to be slower than declared is not counted on')
  t.match((await api.call('provider', 'GET', `datacenters/${ids[0]}`)).body.fencing, {
    level: 2,
    stopSeconds: 20,
    measuredStopSeconds: 20.5,
  })
})
