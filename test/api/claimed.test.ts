/** The sums of what is claimed follow every change of claims, and the check of a commit reads them right. */
import t from 'tap'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { testApi } from '../support/api.ts'
import { miscounted } from '../support/miscounted.ts'

const period = (start: string, end: string | null) => ({ start, end })

t.test('placed, ended, changed, deleted; now and later', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const offer = { cpu: '8', memory: '64Gi', pods: '100' }
  for (const slug of ['noord', 'oost', 'zuid']) await api.activeDatacenter({ slug, offer })
  api.schedule()
  const system = { slug: 'zaak', name: 'Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const place = async (name: string, mode: string, more: object) => {
    const components = [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }]
    const body = { name, systemId, components, fallback: { mode }, ...more }
    const { body: hosting } = await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })
    t.not(hosting.placements.length, 0, `${name}: ${hosting.decision?.summary}`)
  }
  await place('now', 'cold', {})
  await place('also-now', 'none', {})
  await place('until-2040', 'cold', { period: period('2020-01-01T00:00:00Z', '2040-01-01T00:00:00Z') })
  await place('from-2031', 'cold', { period: period('2031-01-01T00:00:00Z', null) })
  await place('in-2032', 'cold', { period: period('2032-01-01T00:00:00Z', '2033-01-01T00:00:00Z') })
  t.same(await miscounted(database), [])
  const starts = await database.query('select distinct starts_at::text from claimed order by 1')
  t.equal(starts.length, 3, 'what began when it was asked shares its sums')

  const change = async (text: string) => {
    await database.query(text)
    t.same(await miscounted(database), [], text)
  }
  const of = (name: string) => `where hosting_id = (select id from hostings where name = '${name}')`
  await change(`update claims set released_at = now() ${of('now')}`)
  await change(`update claims set amounts = amounts || '{"cpu": 1, "gpu": 2}' ${of('from-2031')}`)
  await change(`update claims set ends_at = '2041-01-01', domains = domains || '{grid/a}' ${of('until-2040')}`)
  await change(`update claims set created_at = created_at`)
  await change(`delete from claims ${of('also-now')}`)
  await change(`delete from claims ${of('in-2032')}`)

  const ids = (await database.query<{ id: string }>('select id from datacenters')).map(({ id }) => id)
  t.not((await selectOverbooked(database, ids, new Date())).length, 0, 'nobody offered what was just claimed')
  await change('delete from claims')
  t.same(await database.query('select * from claimed'), [], 'no sum stays behind')
  t.same(await selectOverbooked(database, ids, new Date()), [])
})

t.test('sums that were wrong are seen', async (t) => {
  const { database } = (await testApi(t)).kit
  await database.query(`insert into claimed values ('dc', 'primary', '', 'cpu', '-infinity', 'infinity', 1)`)
  t.equal((await miscounted(database)).length, 1)
})
