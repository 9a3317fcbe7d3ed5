/** One request that cannot be decided or written holds up nobody, is refused with that as its reason, and is told so. */
import t from 'tap'
import { testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }

t.test('a decision that cannot be written, and a hold that cannot be read', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter()
  const { database } = api.kit
  const system = { slug: 'zaak', name: 'Z', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]
  const asked = { systemId, components, fallback: { mode: 'none' } }
  const request = async (name: string) =>
    (await api.call('consumer', 'POST', 'hostings', { body: { ...asked, name } })).body.id as string
  const ids = [await request('before'), await request('unwritable')]
  const given = await api.call('consumer', 'POST', 'quotes', {
    body: { ...asked, holdMinutes: 10 },
    headers: { prefer: 'wait=0' },
  })
  t.equal(given.body.hold.state, 'pending', 'nobody decides yet')
  ids.push(await request('after'))
  await database.query(
    `create function refuse() returns trigger language plpgsql as $$
       begin if new.hosting_id = '${ids[1]}' then raise 'not this one'; end if; return new; end $$`,
  )
  await database.query('create trigger refuse before insert on placements for each row execute function refuse()')
  await database.query(
    `update hostings set spec = '{"components": 5, "fallback": {"mode": "none"}}' where wanted = 'held'`,
  )
  api.schedule()
  for (const id of ids) await api.eventsOf('consumer', id, 2)
  const read = async (id = '', query = '') => (await api.call('consumer', 'GET', `hostings/${id}${query}`)).body
  t.equal((await read(ids[0])).state, 'provisioning')
  t.equal((await read(ids[2])).state, 'provisioning')
  t.match(await read(ids[1]), { state: 'unschedulable', decision: { summary: /could not be written/ } })
  t.match((await read(ids[1], '?language=nl')).decision.summary, /kon niet worden vastgelegd/)
  const { body: quote } = await api.call('consumer', 'GET', `quotes/${given.body.id}?language=nl`)
  t.match(quote, { hold: { state: 'refused' }, decision: { summary: /kon deze aanvraag niet verwerken/ } })
  t.same((await api.call('loket', 'GET', 'unmet-demand')).body.items, [], 'our fault is no lack of capacity')
  t.equal((await database.query('select 1 from claims')).length, 2)
})
