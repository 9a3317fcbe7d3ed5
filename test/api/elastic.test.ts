/** A hosting that can do with fewer replicas gets what there is room for: that is claimed, and that it may scale to. */
import t from 'tap'
import { desiredObjects } from '../../services/broker/clusters/core/desired.ts'
import { selectPlacements } from '../../services/broker/clusters/store.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { grantAll } from '../support/granted.ts'
import { miscounted } from '../support/miscounted.ts'

async function newSystem(api: TestApi): Promise<string> {
  const body = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call('consumer', 'POST', 'systems', { body })).body.id
}

const web = (counts: object) => ({ name: 'web', requests: { cpu: '1', memory: '1Gi' }, ...counts })

async function ask(api: TestApi, systemId: string, name: string, counts: object, more: object = {}) {
  const body = { name, systemId, components: [web(counts)], fallback: { mode: 'none' }, ...more }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })).body
}

t.test('between its least and its most as many as fit, which the quota lets it scale to', async (t) => {
  const api = await testApi(t)
  const offer = { cpu: '10', memory: '64Gi', pods: '100' }
  const id = await api.activeDatacenter({ slug: 'noord', offer })
  const stop = api.schedule()
  const systemId = await newSystem(api)
  const claimed = async (hostingId: string) =>
    (
      await api.kit.database.query<{ pods: number }>(
        `select (amounts ->> 'pods')::int as pods from claims where hosting_id = $1`,
        [hostingId],
      )
    ).map(({ pods }) => pods)

  const all = await ask(api, systemId, 'alles', { replicas: 2, minReplicas: 1, maxReplicas: 4 })
  t.same(await claimed(all.id), [4], 'up to its most, when there is room')
  t.notOk('replicas' in all.decision)
  const some = await ask(api, systemId, 'deel', { replicas: 8, minReplicas: 2 })
  t.same(await claimed(some.id), [6])
  t.match(some.decision, {
    summary: 'runs at noord, without fallback, with 6 of 8 × web',
    replicas: [{ component: 'web', claimed: 6, most: 8 }],
  })
  t.equal(some.components[0].replicas, 8, 'what was asked stays as it was asked')
  const dutch = (await api.call('consumer', 'GET', `hostings/${some.id}?language=nl`)).body
  t.equal(dutch.decision.summary, 'draait in noord, zonder uitwijk, met 6 van 8 × web')
  await grantAll(api.kit.database)
  const rows = await selectPlacements(api.kit.database, id)
  const quota: any = desiredObjects(rows.find(({ name }) => name === 'deel') as never)[1]?.spec
  t.match(quota.hard, { pods: '6', 'requests.cpu': '6' })

  const none = await ask(api, systemId, 'geen', { replicas: 3, minReplicas: 1 })
  t.match(none.decision, { outcome: 'unschedulable', nearestMiss: { asked: '1000', missing: '1000' } })
  t.same(await selectOverbooked(api.kit.database, [id], new Date()), [])
  t.same(await miscounted(api.kit.database), [])

  // A leader that begins reads what was claimed, not what was asked: there is room for exactly the rest.
  await stop()
  await api.call('consumer', 'DELETE', `hostings/${none.id}`)
  const more = { amounts: { cpu: '3', memory: '64Gi', pods: '10' }, quality: 'guaranteed', tariff: {} }
  const period = { start: '2026-01-01T00:00:00Z', end: null }
  await api.call('provider', 'POST', `datacenters/${id}/offers`, { body: { ...more, period } })
  api.schedule()
  t.same(await claimed((await ask(api, systemId, 'rest', { replicas: 5, minReplicas: 1 })).id), [3])
})

t.test('a quote says how many it would be, and what it holds is claimed', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '5', memory: '64Gi', pods: '100' } })
  api.schedule()
  const systemId = await newSystem(api)
  const demand = { systemId, components: [web({ replicas: 4, maxReplicas: 9 })], fallback: { mode: 'none' } }
  const { body: quote } = await api.call('consumer', 'POST', 'quotes', { body: { ...demand, holdMinutes: 10 } })
  t.match(quote, { hold: { state: 'held' }, decision: { replicas: [{ claimed: 5, most: 9 }] } })
  const body = { ...demand, name: 'zaak', quoteId: quote.id }
  const { body: taken } = await api.call('consumer', 'POST', 'hostings', { body })
  t.match(taken.decision, { replicas: [{ claimed: 5, most: 9 }] })
  const refused = await ask(api, systemId, 'meer', { replicas: 1 })
  t.equal(refused.state, 'unschedulable', 'nothing is left')
})

t.test('bounds that are none', async (t) => {
  const api = await testApi(t)
  const systemId = await newSystem(api)
  const refused = await ask(api, systemId, 'fout', { replicas: 3, minReplicas: 4, maxReplicas: 2 })
  t.match(refused.errors, [
    { pointer: '/components/0/minReplicas', message: 'is more than replicas' },
    { pointer: '/components/0/maxReplicas', message: 'is less than replicas' },
  ])
})
