/** Ceilings: one party cannot take everything, and what it gives back it may have again. */
import t from 'tap'
import { defaultCeilings } from '../../services/shared/ceilings.ts'
import { testApi } from '../support/api.ts'
import { registrationOf } from '../support/registration.ts'
import { storeDigest } from '../support/store-digest.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]
const reached = { status: 409, body: { type: 'https://gemeentecloud.nl/problems/limit-reached' } }
type As = Parameters<Awaited<ReturnType<typeof testApi>>['call']>[0]

t.test('hostings of a party, and of those the ones without a place', async (t) => {
  const ceilings = { ...defaultCeilings, hostings: 4, unplacedHostings: 2 }
  const api = await testApi(t, { ceilings })
  const other = await api.newParty('consumer')
  const asker = async (as: As) => {
    const system = { slug: 'zaak', name: 'Zaak', classes }
    const systemId = (await api.call(as, 'POST', 'systems', { body: system })).body.id
    return (name: string) =>
      api.call(as, 'POST', 'hostings', { body: { name, systemId, components, fallback: { mode: 'none' } } })
  }
  const ask = await asker('consumer')
  const [first, second] = [await ask('a'), await ask('b')]
  t.same([first.status, second.status], [202, 202])
  const before = await storeDigest(api.kit.database)
  t.match(await ask('c'), { ...reached, body: { detail: /not placed.* 2 at most/ } })
  t.same(await storeDigest(api.kit.database), before, 'nothing was kept of it')
  t.equal((await (await asker(other))('c')).status, 202, 'of each party its own')

  await api.activeDatacenter()
  api.schedule()
  for (const { body } of [first, second]) await api.eventsOf('consumer', body.id, 2)
  for (const name of ['d', 'e']) {
    const { body } = await ask(name)
    await api.eventsOf('consumer', body.id, 2)
  }
  t.match(await ask('f'), { ...reached, body: { detail: /4 hostings of this party, and 4 at most/ } })
  await api.call('consumer', 'DELETE', `hostings/${first.body.id}`)
  t.match(await ask('f'), reached, 'what still stands in a cluster counts')
  await api.kit.database.query(`update hostings set wanted = 'ended' where id = $1`, [first.body.id])
  t.equal((await ask('f')).status, 202)
})

t.test('datacenters of a party, and open offers of each', async (t) => {
  const api = await testApi(t, { ceilings: { ...defaultCeilings, datacenters: 2, offers: 1 } })
  const register = async (as: As, slug: string, operatorId: string) => {
    const { connection: _, ...body } = registrationOf(slug, operatorId, '')
    return api.call(as, 'POST', 'datacenters', { body })
  }
  const own = api.parties.provider
  const made = await register('provider', 'noord', own)
  t.equal((await register('loket', 'zuid', own)).status, 201)
  t.match(await register('provider', 'oost', own), reached)
  t.match(await register('loket', 'oost', own), reached, 'also when the desk does it for the party')
  const other = await api.newParty('provider')
  t.equal((await register(other, 'oost', other.partyId)).status, 201)
  await api.kit.database.query(`update datacenters set state = 'withdrawn' where slug = 'zuid'`)
  t.equal((await register('provider', 'west', own)).status, 201, 'one that is withdrawn makes room')

  const offer = (start: string, end: string | null) =>
    api.call('provider', 'POST', `datacenters/${made.body.id}/offers`, {
      body: { amounts: { cpu: '1' }, period: { start, end }, quality: 'guaranteed', tariff: {} },
    })
  t.equal((await offer('2024-01-01T00:00:00Z', '2024-02-01T00:00:00Z')).status, 201, 'past, so not open')
  t.equal((await offer('2024-01-01T00:00:00Z', null)).status, 201)
  t.match(await offer('2024-01-01T00:00:00Z', null), reached)
})
