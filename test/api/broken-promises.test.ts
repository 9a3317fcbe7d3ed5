/** When a datacenter changes under what was promised, who it concerns is told, and what moves nothing is mended at once. */
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'

const components = [{ name: 'web', replicas: 1, requests: { cpu: '3', memory: '1Gi' } }]

async function placedWithFallback(api: TestApi, sites: readonly string[]) {
  const ids = new Map<string, string>()
  for (const [i, slug] of sites.entries()) {
    const position = { latitude: 51 + i, longitude: 5 }
    ids.set(
      slug,
      await api.activeDatacenter({ slug, position, nodes: 3, offer: { cpu: '8', memory: '64Gi', pods: '50' } }),
    )
  }
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Z', classes } })
  api.schedule()
  const body = { name: 'zaak', systemId: system.body.id, components, fallback: { mode: 'cold' } }
  const hosting = await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=10' } })
  const standby = hosting.body.placements.find((p: { role: string }) => p.role === 'standby').datacenter as string
  return { id: hosting.body.id as string, standby, standbyId: ids.get(standby) ?? '' }
}

async function shown(api: TestApi, id: string, until: (hosting: any) => boolean) {
  const deadline = Date.now() + 30_000
  for (;;) {
    const { body } = await api.call('consumer', 'GET', `hostings/${id}`)
    if (until(body) || Date.now() > deadline) return body
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

t.test('an offer that shrinks leaves the hosting unprotected, with what is short and what would mend it', async (t) => {
  const api = await testApi(t)
  const { id, standby, standbyId } = await placedWithFallback(api, ['utrecht', 'groningen'])
  const { database } = api.kit
  const offer = (cpu: number) =>
    database.query(
      `with o as (update offers set amounts = amounts || jsonb_build_object('cpu', $2::bigint) where datacenter_id = $1)
       update datacenters set generation = generation + 1 where id = $1`,
      [standbyId, cpu],
    )
  await offer(2000)
  const broken = await shown(api, id, (hosting) => hosting.brokenPromise !== null)
  t.equal(broken.fallbackStatus, 'unprotected')
  t.match(broken.brokenPromise, {
    datacenter: standby,
    shortfall: { cpu: '1' },
    remedy: `${standby} offers 1 cpu more`,
  })
  t.match(broken.brokenPromise.failureDomain, /^site\//)
  await offer(8000)
  t.equal((await shown(api, id, (hosting) => hosting.brokenPromise === null)).brokenPromise, null)
  const events = await api.eventsOf('consumer', id, 4)
  t.same(
    events.map((event) => event.type),
    ['hosting.requested', 'hosting.placed', 'hosting.promise-broken', 'hosting.promise-kept'],
    'told once each, though it was checked many times',
  )
})

t.test('a standby whose node goes is seated on another, and nobody is alarmed', async (t) => {
  const api = await testApi(t)
  const { id, standbyId } = await placedWithFallback(api, ['utrecht', 'groningen'])
  const { database } = api.kit
  const witness = async () =>
    (
      await database.query<{ witness: { node: string }[] }>(
        `select witness from placements where hosting_id = $1 and role = 'standby'`,
        [id],
      )
    )[0]?.witness[0]?.node ?? ''
  const before = await witness()
  const generation = async () =>
    (await database.query<{ generation: number }>('select generation from datacenters where id = $1', [standbyId]))[0]
      ?.generation
  const told = (await generation()) ?? 0
  await database.query(
    `with i as (update inventories set nodes =
       (select jsonb_agg(n) from jsonb_array_elements(nodes) n where n ->> 'name' <> $2) where datacenter_id = $1)
     update datacenters set generation = generation + 1 where id = $1`,
    [standbyId, before],
  )
  const deadline = Date.now() + 30_000
  while ((await witness()) === before && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50))
  t.not(await witness(), before)
  t.equal(await generation(), told + 2, 'by the inventory and by the seat, so that every picture is read again')
  t.equal((await shown(api, id, () => true)).brokenPromise, null)
  t.notOk((await api.eventsOf('consumer', id, 2)).some((event) => event.type === 'hosting.promise-broken'))
})
