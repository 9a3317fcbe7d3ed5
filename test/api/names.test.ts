/** Names of hostings: one living holder in the federation, and free again when nothing of it can stand anywhere. */
import t from 'tap'
import { findHosting } from '../../services/cli/find.ts'
import { testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]

t.test('a name is free again after its hosting has ended, and not before', async (t) => {
  const api = await testApi(t)
  const other = await api.newParty('consumer')
  const systemOf = async (as: Parameters<typeof api.call>[0]) =>
    (await api.call(as, 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })).body.id
  const systems = new Map<Parameters<typeof api.call>[0], string>([
    ['consumer', await systemOf('consumer')],
    [other, await systemOf(other)],
  ])
  const ask = (as: Parameters<typeof api.call>[0]) =>
    api.call(as, 'POST', 'hostings', {
      body: { name: 'zaak-prod', systemId: systems.get(as), components, fallback: { mode: 'none' } },
    })
  const end = async (id: string) => (await api.call('consumer', 'DELETE', `hostings/${id}`)).body.state

  const first = await ask('consumer')
  t.equal(first.status, 202)
  t.equal((await ask('consumer')).status, 409, 'taken while it waits')
  t.equal((await ask(other)).status, 409, 'for every party, since it is a namespace in any cluster')
  t.equal(await end(first.body.id), 'ended')

  await api.activeDatacenter()
  api.schedule()
  const second = await ask('consumer')
  t.equal(second.status, 202, 'free after one that was never placed')
  await api.eventsOf('consumer', second.body.id, 2)
  t.equal(await end(second.body.id), 'ending')
  t.equal((await ask('consumer')).status, 409, 'taken while something of it may stand in a cluster')
  await api.kit.database.query(`update hostings set wanted = 'ended' where id = $1`, [second.body.id])

  const third = await ask(other)
  t.equal(third.status, 202, 'free for whoever asks first')
  t.equal((await ask('consumer')).status, 409)

  const list = async (path: string, query: object) =>
    (await api.call('loket', 'GET', `${path.slice(1)}?${new URLSearchParams({ ...query })}`)).body.items
  const found = await findHosting({ list } as unknown as Parameters<typeof findHosting>[0], 'zaak-prod')
  t.equal(found.id, third.body.id, 'the name means the one that lives')
  const own = (await api.call('consumer', 'GET', 'hostings?name=zaak-prod')).body.items
  t.same(
    own.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      [first.body.id, 'ended'],
      [second.body.id, 'ended'],
    ],
    'what it meant before is still there to read',
  )
})

t.test('a system that a restored store does not have is refused as one that never was', async (t) => {
  const api = await testApi(t)
  const system = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const ask = (name: string) =>
    api.call('consumer', 'POST', 'hostings', { body: { name, systemId, components, fallback: { mode: 'none' } } })
  t.equal((await ask('before')).status, 202, 'so that the replica knows whose the system is')
  await api.kit.database.query('delete from hostings')
  await api.kit.database.query('delete from systems')
  const refused = await ask('after')
  t.equal(refused.status, 400)
  t.match(refused.body, { type: /invalid-fields$/, errors: [{ pointer: '/systemId' }] })
})
