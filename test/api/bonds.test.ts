/** Hostings that must be with or without one another, by name, id or system, whichever of them comes first. */
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'

async function newSystem(
  api: TestApi,
  slug = 'zaak',
  as: Parameters<TestApi['call']>[0] = 'consumer',
): Promise<string> {
  const body = { slug, name: slug, classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return (await api.call(as, 'POST', 'systems', { body })).body.id
}

function demand(systemId: string, constraints: object, more: object = {}) {
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }]
  return { systemId, components, constraints, fallback: { mode: 'none' }, ...more }
}

async function ask(api: TestApi, systemId: string, name: string, constraints: object = {}, more: object = {}) {
  const body = { name, ...demand(systemId, constraints, more) }
  const headers = { prefer: 'wait=20' }
  return (await api.call('consumer', 'POST', 'hostings', { body, headers })).body
}

const siteOf = ({ placements }: { placements: { role: string; datacenter: string }[] }) => placements[0]?.datacenter

t.test('together and apart by name or id, with the reason in words', async (t) => {
  const api = await testApi(t)
  for (const slug of ['noord', 'zuid', 'west']) await api.activeDatacenter({ slug })
  api.schedule()
  const systemId = await newSystem(api)
  const een = await ask(api, systemId, 'een', { regionsNot: [] })
  const naast = await ask(api, systemId, 'naast', { together: ['een'] })
  t.equal(siteOf(naast), siteOf(een))
  const weg = await ask(api, systemId, 'weg', { apart: [een.id] })
  t.not(siteOf(weg), siteOf(een))
  t.match(
    weg.decision.refusals.find((r: { rule: string }) => r.rule === 'apart'),
    { datacenter: siteOf(een), asked: 'een', message: 'holds een, from which this one is to be kept apart' },
  )
  const los = await ask(api, systemId, 'los', { apart: ['een', 'weg'] })
  t.equal(new Set([een, weg, los].map(siteOf)).size, 3)
  const nergens = await ask(api, systemId, 'nergens', { apart: ['een', 'weg', 'los'] })
  t.match(nergens, { state: 'unschedulable', decision: { summary: /^refused 3: 3 × must be kept apart/ } })
  const beide = await ask(api, systemId, 'beide', { together: ['een', 'weg'] })
  t.equal(beide.state, 'unschedulable')
  t.match(
    beide.decision.refusals.find((r: { datacenter: string }) => r.datacenter === siteOf(los)),
    {
      rule: 'together',
      asked: 'een',
      available: siteOf(een),
    },
  )
  t.same(een.constraints, { regionsNot: [] })
  t.same(naast.constraints, { together: ['een'] }, 'told as it was asked')
})

t.test(
  'apart from a system holds for whoever comes later, on the standby as well, and ends with the hosting',
  async (t) => {
    const api = await testApi(t)
    for (const slug of ['noord', 'zuid', 'west']) await api.activeDatacenter({ slug })
    api.schedule()
    const own = await newSystem(api, 'eigen')
    const other = await newSystem(api, 'ander')
    const lone = await ask(api, own, 'alleen', { apartSystems: ['ander'] }, { fallback: { mode: 'cold' } })
    const taken = lone.placements.map((p: { datacenter: string }) => p.datacenter)
    t.equal(taken.length, 2)
    const late = await ask(api, other, 'later')
    t.notOk(taken.includes(siteOf(late)), 'though it asked for nothing itself')
    const quote = (await api.call('consumer', 'POST', 'quotes', { body: demand(other, {}) })).body
    t.same(
      quote.decision.alternatives.map((a: { primary: { datacenter: string } }) => a.primary.datacenter),
      [siteOf(late)],
      'a quote knows it too',
    )
    const wide = await ask(api, other, 'breed', {}, { fallback: { mode: 'cold' } })
    t.match(wide, { state: 'unschedulable' })
    await api.call('consumer', 'DELETE', `hostings/${lone.id}`)
    await api.kit.database.query(`update hostings set wanted = 'ended' where id = $1`, [lone.id])
    await api.kit.database.query(`update claims set released_at = now() where hosting_id = $1`, [lone.id])
    t.equal((await ask(api, other, 'breed-twee', {}, { fallback: { mode: 'cold' } })).placements.length, 2)

    const spread = []
    for (const name of ['a', 'b', 'c']) spread.push(await ask(api, own, name, { apartSystems: [own] }))
    t.equal(new Set(spread.map(siteOf)).size, 3, 'a system may be apart from itself')
    t.equal((await ask(api, own, 'd', { apartSystems: ['eigen'] })).state, 'unschedulable')
  },
)

t.test('who is to be where another runs waits for that one to have a place', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord' })
  await api.activeDatacenter({ slug: 'zuid' })
  const systemId = await newSystem(api)
  const asked = async (name: string, constraints: object, more: object = {}) =>
    (await api.call('consumer', 'POST', 'hostings', { body: { name, ...demand(systemId, constraints), ...more } })).body
      .id
  const first = await asked('eerst', { regions: ['nergens'] })
  const second = await asked('erna', { together: ['eerst'] }, { waitForCapacity: true })
  api.schedule()
  await api.eventsOf('consumer', second, 2)
  const refused = (await api.call('consumer', 'GET', `hostings/${second}`)).body
  t.match(refused.decision.refusals[0], { rule: 'together', asked: 'eerst', available: 'nowhere' })
  await api.kit.database.query(
    `update hostings set scheduling = 'pending', spec = spec #- '{constraints,regions}' where id = $1`,
    [first],
  )
  await api.eventsOf('consumer', second, 4)
  const [a, b] = await Promise.all(
    [first, second].map(async (id) => (await api.call('consumer', 'GET', `hostings/${id}`)).body),
  )
  t.equal(a.decision.outcome, 'placed')
  t.equal(siteOf(b), siteOf(a))
})

t.test('a quote holds its place with its bonds; who is nobody of this party is refused', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'noord' })
  await api.activeDatacenter({ slug: 'zuid' })
  api.schedule()
  const systemId = await newSystem(api)
  const een = await ask(api, systemId, 'een')
  const body = demand(systemId, { apart: ['een'] })
  const quote = (await api.call('consumer', 'POST', 'quotes', { body: { ...body, holdMinutes: 10 } })).body
  t.equal(quote.hold.state, 'held')
  const taken = (await api.call('consumer', 'POST', 'hostings', { body: { ...body, name: 'twee', quoteId: quote.id } }))
    .body
  t.not(siteOf(taken), siteOf(een))
  const alone = await ask(api, systemId, 'drie', { apart: ['een', 'twee'] })
  t.equal(alone.state, 'unschedulable')
  const again = (await api.call('consumer', 'POST', 'quotes', { body: { ...body, holdMinutes: 10 } })).body
  await api.call('consumer', 'DELETE', `quotes/${again.id}`)
  await api.eventsOf('consumer', again.id, 4)
  t.same(
    await api.kit.database.query(`select 1 from hostings where wanted = 'held'`),
    [],
    'the bonds of a hold go with it',
  )

  const { token } = await api.newParty('consumer')
  const theirs = await newSystem(api, 'hun', { token })
  const refused = await api.call({ token }, 'POST', 'hostings', {
    body: {
      name: 'spion',
      ...demand(theirs, { together: ['een'], apart: [een.id], apartSystems: ['zaak', systemId] }),
    },
  })
  t.equal(refused.status, 400)
  t.same(
    refused.body.errors.map((e: { pointer: string }) => e.pointer),
    ['/constraints/together/0', '/constraints/apart/0', '/constraints/apartSystems/0', '/constraints/apartSystems/1'],
  )
  const both = await ask(api, systemId, 'beide', { together: ['een'], apart: ['een'] })
  t.match(both.errors, [{ pointer: '/constraints/apart/0' }])
})
