/** A quote that holds its place: nobody else gets it, its hosting gets exactly it, and what is not used becomes free. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { forgetQuotes } from '../../services/broker/hosting/index.ts'
import { endHolds } from '../../services/broker/scheduling/holds/end.ts'
import { Deposed, selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { defaultCeilings } from '../../services/shared/ceilings.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { storeDigest } from '../support/store-digest.ts'
import { until } from '../support/until.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const room = { cpu: '4', memory: '64Gi', pods: '50' }
type As = Parameters<TestApi['call']>[0]

async function newSystem(api: TestApi, as: As = 'consumer', slug = 'zaak'): Promise<string> {
  return (await api.call(as, 'POST', 'systems', { body: { slug, name: slug, classes } })).body.id
}

const demand = (systemId: string, cpu: string, more: object = {}) => ({
  systemId,
  components: [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }],
  fallback: { mode: 'none' },
  ...more,
})

function quote(api: TestApi, asked: object, holdMinutes = 10) {
  return api.call('consumer', 'POST', 'quotes', { body: { ...asked, holdMinutes }, headers: { prefer: 'wait=25' } })
}

function request(api: TestApi, asked: object, more: object = {}, as: As = 'consumer') {
  const body = { name: `h-${randomUUID().slice(0, 8)}`, ...asked, ...more }
  return api.call(as, 'POST', 'hostings', { body, headers: { prefer: 'wait=25' } })
}

const claims = (api: TestApi) =>
  api.kit.database.query('select * from claims where released_at is null order by id') as Promise<any[]>

/** As if so much time had passed since the quote was given. */
const age = (api: TestApi, quoteId: string, minutes: number) =>
  api.kit.database.query(
    `update quotes set held_until = held_until - $2 * interval '1 minute',
       valid_until = valid_until - $2 * interval '1 minute' where id = $1`,
    [quoteId, minutes],
  )

t.test('a hold is taken over: the same claims, nodes and price, and nothing is free in between', async (t) => {
  const api = await testApi(t)
  const utrecht = await api.activeDatacenter({ slug: 'utrecht', offer: room })
  await api.activeDatacenter({ slug: 'assen', position: { latitude: 53, longitude: 6.56 }, offer: room })
  const systemId = await newSystem(api)
  const stop = api.schedule()
  const asked = demand(systemId, '3', { fallback: { mode: 'cold' } })
  const given = await quote(api, asked)
  t.match(given, { status: 201, body: { hold: { state: 'held', hostingId: null }, decision: { outcome: 'placed' } } })
  const { id } = given.body
  t.same(await api.call('consumer', 'GET', `quotes/${id}`).then(({ body }) => body), given.body)
  t.same((await api.call('consumer', 'GET', 'hostings')).body.items, [], 'it is no hosting yet')
  const held = await claims(api)
  t.equal(held.length, 2)
  t.equal((await api.call('consumer', 'GET', `hostings/${held[0].hosting_id}`)).status, 404)
  t.equal((await api.call('consumer', 'DELETE', `hostings/${held[0].hosting_id}`)).status, 404)
  t.same(await api.kit.database.query(`select 1 from placements where wanted in ('present', 'removed')`), [])

  const taken = await request(api, demand(systemId, '2', { fallback: { mode: 'cold' } }))
  t.equal(taken.body.state, 'unschedulable', 'what is held is not free, the reserve included')
  const [seat] = given.body.decision.alternatives
  const { body: capacity } = await api.call('provider', 'GET', `datacenters/${seat.primary.datacenterId}/capacity`)
  t.match(
    capacity.resources.find(({ resource }: { resource: string }) => resource === 'cpu'),
    { hosted: '3' },
  )

  await stop()
  api.schedule()
  const { body: hosting, status } = await request(api, asked, { quoteId: id, name: 'zaak-prod' })
  t.equal(status, 201)
  t.match(hosting, {
    name: 'zaak-prod',
    state: 'provisioning',
    quoteId: id,
    priceCentsPerMonth: seat.priceCentsPerMonth,
  })
  t.same(
    hosting.placements.map(({ datacenterId }: { datacenterId: string }) => datacenterId),
    [seat.primary.datacenterId, seat.standby.datacenterId],
  )
  t.same(await claims(api), held, 'the claims are the rows that they were, also after a restart')
  t.match(await api.kit.database.query('select wanted from placements'), [{ wanted: 'present' }, { wanted: 'present' }])
  t.match((await api.call('consumer', 'GET', `quotes/${id}`)).body.hold, { state: 'used', hostingId: hosting.id })
  t.same(
    (await api.eventsOf('consumer', hosting.id, 2)).map(({ type }) => type),
    ['hosting.requested', 'hosting.placed'],
  )
  t.same(
    (await api.eventsOf('consumer', id, 2)).map(({ type }) => type),
    ['quote.given', 'quote.held'],
  )

  const again = await request(api, asked, { quoteId: id })
  t.match(again, { status: 409, body: { type: /state-conflict$/, detail: /its hold is used/ } })
  await age(api, id, 20)
  t.equal((await request(api, asked)).body.state, 'unschedulable', 'and its time no longer matters')
  t.same(await claims(api), held)
  t.same(await selectOverbooked(api.kit.database, [utrecht], new Date()), [])
})

t.test('what is taken over as preemptible gives way like any other', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'utrecht', offer: room })
  const systemId = await newSystem(api)
  api.schedule()
  const given = await quote(api, demand(systemId, '3'))
  const firm = await request(api, demand(systemId, '3'), { quoteId: given.body.id, preemptible: true })
  t.match(firm.body, { preemptible: true, decision: { outcome: 'placed' } })
  const urgent = await api.call('consumer', 'POST', 'hostings', {
    body: { name: 'spoed', ...demand(systemId, '2'), priority: 50 },
    headers: { prefer: 'wait=1' },
  })
  const decided = await api.eventsOf('consumer', urgent.body.id, 2)
  t.equal(decided[1]?.type, 'hosting.awaits-room')
})

t.test('who may not take it over', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  api.schedule()
  const asked = demand(systemId, '3')
  const { body: held } = await quote(api, asked)
  const other = await api.newParty('consumer')
  const foreign = demand(await newSystem(api, other), '3')
  const before = await claims(api)
  t.match(await request(api, foreign, { quoteId: held.id }, other), {
    status: 400,
    body: { errors: [{ pointer: '/quoteId', message: 'is not a quote of this party' }] },
  })
  t.equal((await api.call(other, 'DELETE', `quotes/${held.id}`)).status, 404)
  t.match(
    await request(api, demand(systemId, '4'), { quoteId: held.id, constraints: { regions: ['utrecht'] } }),
    { status: 400, body: { errors: [{ pointer: '/components' }, { pointer: '/constraints' }] } },
    'another demand than the one quoted',
  )
  const { body: plain } = await api.call('consumer', 'POST', 'quotes', { body: demand(systemId, '1') })
  t.equal(plain.hold, null)
  t.match(await request(api, demand(systemId, '1'), { quoteId: plain.id }), {
    status: 409,
    body: { detail: /no hold was asked/ },
  })
  await request(api, demand(systemId, '500m'), { name: 'taken' })
  t.match(await request(api, asked, { quoteId: held.id, name: 'taken' }), {
    status: 409,
    body: { type: /already-exists$/ },
  })
  t.same((await claims(api)).slice(0, 1), before)
  t.equal((await request(api, asked, { quoteId: held.id, name: 'free' })).status, 201, 'the hold stands through it all')
})

t.test('what is not used in time is free for who waits, and what is let go at once', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  api.schedule()
  const asked = demand(systemId, '3')
  for (const end of ['expiry', 'deletion'] as const) {
    const { body: held } = await quote(api, asked)
    t.equal(held.hold.state, 'held', end)
    const { body: waiting } = await request(api, asked, { waitForCapacity: true })
    t.equal(waiting.state, 'unschedulable')
    if (end === 'expiry') await age(api, held.id, 10)
    else t.match(await api.call('consumer', 'DELETE', `quotes/${held.id}`), { status: 200, body: { id: held.id } })
    t.equal((await api.call('consumer', 'GET', `quotes/${held.id}`)).body.hold.state, 'expired')
    t.match(await request(api, asked, { quoteId: held.id }), { status: 409, body: { detail: /its hold is expired/ } })
    const events = await api.eventsOf('consumer', waiting.id, 4)
    t.equal(events.at(-1).type, 'hosting.placed')
    t.equal((await claims(api)).length, 1)
    const told = (await api.eventsOf('consumer', held.id, end === 'expiry' ? 3 : 4)).map(({ type }) => type)
    t.same(told.at(-1), 'quote.hold-ended')
    t.same(await api.kit.database.query(`select 1 from hostings where wanted = 'held'`), [])
    await api.call('consumer', 'DELETE', `hostings/${waiting.id}`)
    await api.kit.database.query(
      `with c as (update claims set released_at = now() returning datacenter_id)
       update datacenters set generation = generation + 1 where id in (select datacenter_id from c)`,
    )
  }
})

t.test('a hold and a hosting race for the last place: one gets it', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  const asked = demand(systemId, '3')
  const racing = Promise.all([quote(api, asked), request(api, asked), quote(api, asked), request(api, asked)])
  api.schedule()
  const answers = await racing
  const won = answers.filter(({ body }) => body.hold?.state === 'held' || body.state === 'provisioning')
  t.equal(won.length, 1)
  const lost = answers.filter((answer) => !won.includes(answer))
  for (const { body } of lost) t.ok(body.hold?.state === 'refused' || body.state === 'unschedulable')
  for (const { body } of lost.filter(({ body }) => body.hold))
    t.match(body.decision, { outcome: 'unschedulable', refusals: [{ rule: 'offer-short' }] })
  t.equal((await claims(api)).length, 1)
  t.same(await selectOverbooked(api.kit.database, [id], new Date()), [])
})

t.test('taking over and expiry race: it is used or it is gone, never both', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: { ...room, cpu: '40' } })
  const systemId = await newSystem(api)
  api.schedule()
  const asked = demand(systemId, '1')
  const outcomes = new Set<number>()
  for (let round = 0; round < 12; round++) {
    const { body: held } = await quote(api, asked)
    const aging = sleep(round * 3).then(() => age(api, held.id, 10))
    const [taken] = await Promise.all([request(api, asked, { quoteId: held.id }), aging])
    outcomes.add(taken.status)
    await until(
      async () => (await api.kit.database.query(`select 1 from hostings where wanted = 'held'`)).length === 0,
      'no hold is left',
    )
    const rows = await api.kit.database.query('select 1 from claims where hosting_id = $1', [taken.body.id ?? ''])
    t.equal(rows.length, taken.status === 201 ? 1 : 0, `${taken.status}`)
    const { state } = (await api.call('consumer', 'GET', `quotes/${held.id}`)).body.hold
    t.equal(state, taken.status === 201 ? 'used' : 'expired')
  }
  t.equal((await claims(api)).length, (await api.call('consumer', 'GET', 'hostings')).body.items.length)
  t.comment(`answers: ${[...outcomes].join(', ')}`)
})

t.test('how many and how long', async (t) => {
  const api = await testApi(t, { ceilings: { ...defaultCeilings, holds: 2, holdMinutes: 5, hostings: 1 } })
  await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  api.schedule()
  const asked = demand(systemId, '500m')
  t.match(await quote(api, asked, 6), {
    status: 400,
    body: { errors: [{ pointer: '/holdMinutes', message: 'is at most 5' }] },
  })
  t.equal((await quote(api, asked, 0)).status, 400)
  const { body: first } = await quote(api, asked, 5)
  t.equal((await quote(api, asked, 5)).status, 201)
  t.match(await quote(api, asked, 5), { status: 409, body: { type: /limit-reached$/, detail: /2 at most/ } })
  t.equal((await request(api, asked, { quoteId: first.id })).status, 201, 'a hold is not a hosting of the party')
  t.match(await request(api, asked), { status: 409, body: { type: /limit-reached$/ } }, 'what it became is')
  t.equal((await quote(api, asked, 5)).status, 201, 'and makes room for another hold')
  t.equal(
    (await quote(api, demand(systemId, '64'), 5)).body.hold.state,
    'refused',
    'nothing is held where nothing fits',
  )
})

t.test('the end of a hold that is interrupted has not happened, and is done the next time', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  const stop = api.schedule()
  const { body: held } = await quote(api, demand(systemId, '3'))
  await stop()
  await age(api, held.id, 10)
  const { database } = api.kit
  const term = { epoch: 0, signal: new AbortController().signal }
  const before = await storeDigest(database)
  for (const table of ['claims', 'placements', 'hostings', 'events']) {
    await database.query(
      `create or replace function cut() returns trigger language plpgsql as $$ begin raise 'cut'; end $$`,
    )
    await database.query(`create trigger cut before insert or delete on ${table} execute function cut()`)
    await t.rejects(endHolds(api.kit, term), /cut/, `cut at ${table}`)
    t.same(await storeDigest(database), before)
    await database.query(`drop trigger cut on ${table}`)
  }
  await t.rejects(endHolds(api.kit, { ...term, epoch: 7 }), Deposed, 'nor does one do it who leads no more')
  t.same(await storeDigest(database), before)
  await endHolds(api.kit, term)
  t.same(await claims(api), [])
  const after = await storeDigest(database)
  await endHolds(api.kit, term)
  t.same(await storeDigest(database), after, 'and again is nothing')
})

t.test('a quote stays as long as it holds a place', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ offer: room })
  const systemId = await newSystem(api)
  const stop = api.schedule()
  const { body: held } = await quote(api, demand(systemId, '3'), 60)
  t.equal(held.validUntil, held.hold.until)
  await stop()
  await age(api, held.id, 60)
  t.equal(await forgetQuotes(api.kit), 0)
  await endHolds(api.kit, { epoch: 0, signal: new AbortController().signal })
  t.equal(await forgetQuotes(api.kit), 1)
})
