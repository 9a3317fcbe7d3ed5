/** Who was asked for as preemptible gives way to a higher priority, and is never lost; nobody takes the room in between. */
import t, { type Test } from 'tap'
import { type Ledger, recordAbsent } from '../../services/broker/clusters/records.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { miscounted } from '../support/miscounted.ts'
import { storeDigest } from '../support/store-digest.ts'

async function newSystem(api: TestApi, as: Parameters<TestApi['call']>[0] = 'consumer'): Promise<string> {
  const body = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call(as, 'POST', 'systems', { body })).body.id
}

async function post(api: TestApi, systemId: string, name: string, cpu: string, more: object, wait = 20) {
  const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }]
  const body = { name, systemId, components, fallback: { mode: 'none' }, ...more }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: `wait=${wait}` } })).body
}

const show = async (api: TestApi, id: string, query = '') =>
  (await api.call('consumer', 'GET', `hostings/${id}${query}`)).body
const typesOf = async (api: TestApi, id: string, atLeast: number) =>
  (await api.eventsOf('consumer', id, atLeast)).map(({ type }: { type: string }) => type)

/** As the cluster loop does once a namespace is seen to be gone, for all that has to go. */
async function confirmAbsence(api: TestApi): Promise<void> {
  const rows = await api.kit.database.query<{ id: string; datacenter_id: string; slug: string; operator_id: string }>(
    `select p.id, p.datacenter_id, d.slug, d.operator_id from placements p join datacenters d on d.id = p.datacenter_id
     where p.wanted = 'removed'`,
  )
  const ledger: Ledger = { kit: api.kit, epoch: 0 }
  for (const { id, datacenter_id, slug, operator_id } of rows)
    await recordAbsent(ledger, { id: datacenter_id, slug, operatorId: operator_id }, id)
}

async function sound(t: Test, api: TestApi): Promise<void> {
  const ids = (await api.kit.database.query<{ id: string }>('select id from datacenters')).map(({ id }) => id)
  t.same(await selectOverbooked(api.kit.database, ids, new Date()), [])
  t.same(await miscounted(api.kit.database), [])
}

t.test('the fewest give way, wait until they have gone, and come back when there is room', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  api.schedule()
  const systemId = await newSystem(api)
  const small = await post(api, systemId, 'klein', '1', { preemptible: true })
  const large = await post(api, systemId, 'groot', '2', { preemptible: true })
  const firm = await post(api, systemId, 'vast', '1', {})
  t.equal((await post(api, systemId, 'gewoon', '2', {})).state, 'unschedulable', 'nobody gives way to an equal')

  const urgent = await post(api, systemId, 'spoed', '2', { priority: 50 }, 1)
  t.match(urgent, { state: 'pending', decision: { summary: /^room is being made/, outcome: 'unschedulable' } })
  t.match((await show(api, urgent.id, '?language=nl')).decision.summary, /^er wordt plaatsgemaakt/)
  t.match(await show(api, large.id), {
    state: 'pending',
    decision: { summary: /^gives way to a hosting of a higher priority/ },
    placements: [{ datacenter: 'noord' }],
  })
  t.match(await show(api, small.id), { placements: [{}], decision: { outcome: 'placed' } }, 'it is spared')
  t.match(await show(api, firm.id), { decision: { outcome: 'placed' } })
  await sound(t, api)

  const between = await post(api, systemId, 'ertussen', '1', { priority: 10 }, 1)
  t.match(between.decision, { summary: /^room is being made/ }, 'a lower one may have the room of another')
  t.equal((await post(api, systemId, 'zonder', '500m', {})).state, 'unschedulable', 'but not what is kept')
  await sound(t, api)

  await confirmAbsence(api)
  await typesOf(api, urgent.id, 4)
  await typesOf(api, between.id, 4)
  for (const { id } of [urgent, between]) t.match(await show(api, id), { decision: { outcome: 'placed' } })
  t.same(await typesOf(api, urgent.id, 4), [
    'hosting.requested',
    'hosting.awaits-room',
    'hosting.requeued',
    'hosting.placed',
  ])
  await sound(t, api)
  t.same(await typesOf(api, large.id, 6), [
    'hosting.requested',
    'hosting.placed',
    'hosting.gave-way',
    'placement.released',
    'hosting.requeued',
    'hosting.unschedulable',
  ])
  for (const { id } of [urgent, between]) await api.call('consumer', 'DELETE', `hostings/${id}`)
  await confirmAbsence(api)
  t.equal(
    (await typesOf(api, large.id, 8)).at(-1),
    'hosting.placed',
    'it waits for capacity though it did not ask for that',
  )
  await sound(t, api)
})

t.test('a leader that dies in between leaves nothing undone, and nothing half done', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '2', memory: '64Gi', pods: '50' } })
  let stop = api.schedule()
  const systemId = await newSystem(api)
  const victim = await post(api, systemId, 'wijkt', '2', { preemptible: true })
  await stop()
  const urgent = await post(api, systemId, 'spoed', '2', { priority: 1 }, 0)
  const before = await storeDigest(database)
  await database.query(`alter table events add constraint refused check (type <> 'hosting.gave-way') not valid`)
  stop = api.schedule()
  await database.query('select 1')
  const refused = await typesOf(api, urgent.id, 2)
  t.same(
    refused,
    ['hosting.requested', 'hosting.unschedulable'],
    'what cannot be told is not done; it is refused, as ever',
  )
  t.match(await show(api, victim.id), { decision: { outcome: 'placed' } })
  await stop()
  t.not(await storeDigest(database), before)
  await database.query('alter table events drop constraint refused')
  await database.query(`update hostings set scheduling = 'pending' where id = $1`, [urgent.id])
  stop = api.schedule()
  await typesOf(api, urgent.id, 3)
  await stop()
  // Another leader: it keeps the room, too.
  const late = await post(api, systemId, 'laat', '1', {}, 0)
  stop = api.schedule()
  await typesOf(api, late.id, 2)
  await stop()
  await confirmAbsence(api)
  const later = await post(api, systemId, 'later', '1', {}, 0)
  api.schedule()
  await typesOf(api, urgent.id, 5)
  await typesOf(api, later.id, 2)
  t.match(await show(api, urgent.id), { decision: { outcome: 'placed' } })
  for (const { id } of [late, later]) t.match(await show(api, id), { state: 'unschedulable' })
  t.match(await show(api, victim.id), { state: 'unschedulable' })
  await sound(t, api)
})

t.test('who ends while it gives way, or while others do, is gone when nothing of it stands', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '2', memory: '64Gi', pods: '50' } })
  api.schedule()
  const systemId = await newSystem(api)
  const [een, twee] = [
    await post(api, systemId, 'een', '1', { preemptible: true }),
    await post(api, systemId, 'twee', '1', { preemptible: true }),
  ]
  const urgent = await post(api, systemId, 'spoed', '2', { priority: 1 }, 1)
  t.equal(urgent.state, 'pending')
  t.equal(
    (await api.call('consumer', 'DELETE', `hostings/${een.id}`)).body.state,
    'ending',
    'its namespace still stands',
  )
  t.equal((await api.call('consumer', 'DELETE', `hostings/${urgent.id}`)).body.state, 'ended')
  await confirmAbsence(api)
  t.equal((await show(api, een.id)).state, 'ended')
  t.equal((await typesOf(api, twee.id, 6)).at(-1), 'hosting.placed', 'and who gave way for nothing is back')
  await sound(t, api)
})

t.test('one that has ended meanwhile need not give way, but is waited for', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord', offer: { cpu: '3', memory: '64Gi', pods: '50' } })
  let stop = api.schedule()
  const systemId = await newSystem(api)
  const een = await post(api, systemId, 'een', '1', { preemptible: true })
  const twee = await post(api, systemId, 'twee', '2', { preemptible: true, priority: 1 })
  // The leader's picture does not hear of it, for nothing has come free yet.
  await api.call('consumer', 'DELETE', `hostings/${een.id}`)
  const urgent = await post(api, systemId, 'spoed', '1', { priority: 2 }, 1)
  t.equal(urgent.state, 'pending')
  t.match(await show(api, twee.id), { decision: { outcome: 'placed' } }, 'who goes already makes room enough')
  await stop()
  stop = api.schedule()
  await confirmAbsence(api)
  await typesOf(api, urgent.id, 4)
  t.match(await show(api, urgent.id), { decision: { outcome: 'placed' } })
  await sound(t, api)
})

t.test('a standby counts as well, and a lost datacenter is not waited for', async (t) => {
  const api = await testApi(t)
  const offer = { cpu: '2', memory: '64Gi', pods: '50' }
  await api.activeDatacenter({ slug: 'noord', offer })
  await api.activeDatacenter({ slug: 'zuid', offer })
  api.schedule()
  const systemId = await newSystem(api)
  const warm = await post(api, systemId, 'warm', '2', { preemptible: true, fallback: { mode: 'hot' } })
  const urgent = await post(api, systemId, 'spoed', '2', { priority: 9, fallback: { mode: 'cold' } }, 1)
  t.equal(urgent.state, 'pending')
  t.equal((await show(api, warm.id)).placements.length, 2, 'both stand until they are seen to be gone')
  await api.kit.database.query(
    `update datacenters set contact = 'unreachable', generation = generation + 1 where slug = 'zuid'`,
  )
  await typesOf(api, urgent.id, 4)
  t.match(await show(api, urgent.id), { state: 'unschedulable' })
  await sound(t, api)
})
