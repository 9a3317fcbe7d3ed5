/** Random changes of hostings that share two datacenters: nothing is promised twice, and in the end claims are what stands. */
import fc from 'fast-check'
import t from 'tap'
import { selectPlacements, updateApplied } from '../../services/broker/clusters/store.ts'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { testApi } from '../support/api.ts'
import { grantAll } from '../support/granted.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const changes = fc.array(
  fc.record({
    who: fc.integer({ min: 0, max: 3 }),
    replicas: fc.integer({ min: 1, max: 9 }),
    cpu: fc.constantFrom('250m', '500m', '2'),
    stop: fc.boolean(),
    settled: fc.boolean(),
  }),
  { minLength: 40, maxLength: 40 },
)

t.test('claims follow what is asked, whoever leads', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const offer = { cpu: '24', memory: '64Gi', pods: '60' }
  const sites = [
    await api.activeDatacenter({ slug: 'noord', offer }),
    await api.activeDatacenter({ slug: 'oost', offer }),
  ]
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  let stop = api.schedule()
  const components = (replicas: number, cpu: string) => [{ name: 'web', replicas, requests: { cpu, memory: '512Mi' } }]
  const hostings: string[] = []
  for (const [index, mode] of ['none', 'cold', 'warm', 'hot'].entries()) {
    const body = { name: `h${index}`, systemId: system.body.id, components: components(2, '500m'), fallback: { mode } }
    const made = await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })
    hostings.push(made.body.id)
  }
  await grantAll(database)
  const tell = async (settled: boolean) => {
    for (const site of sites) {
      const rows = await selectPlacements(database, site)
      const applied = rows.map(({ id, revision }) => ({ placementId: id, revision, settled }))
      await updateApplied(database, applied)
    }
  }
  const stateOf = async (id: string) =>
    (await api.call('consumer', 'GET', `hostings/${id}`)).body.change?.state ?? 'none'
  const states: Record<string, number> = {}
  const [steps = []] = fc.sample(changes, { seed: 20261130, numRuns: 1 })
  for (const { who, replicas, cpu, stop: ends, settled } of steps) {
    const id = hostings[who] ?? ''
    const body = { components: components(replicas, cpu) }
    const headers = { prefer: 'wait=5' }
    const answer = await api.call('consumer', 'PATCH', `hostings/${id}`, { body, headers })
    const what = answer.status === 409 ? 'busy' : (answer.body.change?.state ?? 'same')
    states[what] = (states[what] ?? 0) + 1
    if (ends) {
      await stop()
      stop = api.schedule()
    }
    await tell(settled)
    t.same(await selectOverbooked(database, sites, new Date()), [])
  }
  t.comment(JSON.stringify(states))
  for (const what of ['applied', 'applying', 'refused']) t.ok(states[what], `some were ${what}`)
  for (const id of hostings)
    await until(async () => {
      await tell(true)
      return ['applied', 'refused', 'none'].includes(await stateOf(id))
    }, 'all is through')
  t.same(await miscounted(database), [])
  t.same(await selectOverbooked(database, sites, new Date()), [])
  for (const id of hostings) {
    const [wanted] = await database.query<{ replicas: number; cpu: string; standing: unknown }>(
      `select (spec #>> '{components,0,replicas}')::int as replicas, spec #>> '{components,0,requests,cpu}' as cpu, standing
       from hostings where id = $1`,
      [id],
    )
    const claimed = await database.query<{ role: string; pods: number; cpu: number; targets: number }>(
      `select p.role, sum((c.amounts ->> 'pods')::int)::int as pods, sum((c.amounts ->> 'cpu')::int)::int as cpu,
         count(c.target)::int as targets
       from claims c join placements p on p.id = c.placement_id where c.hosting_id = $1 and c.released_at is null group by 1`,
      [id],
    )
    const millis = { '250m': 250, '500m': 500, '2': 2000 }[wanted?.cpu ?? ''] ?? 0
    const pods = wanted?.replicas ?? 0
    t.equal(wanted?.standing, null)
    for (const { role, ...claim } of claimed) t.same(claim, { pods, cpu: pods * millis, targets: 0 }, `${id} ${role}`)
    const witnessed = await database.query<{ replicas: number }>(
      `select (select sum((w ->> 'replicas')::int)::int from jsonb_array_elements(p.witness) w) as replicas
       from placements p where p.hosting_id = $1`,
      [id],
    )
    t.same([...new Set(witnessed.map(({ replicas }) => replicas))], [pods], 'each replica has its node')
  }
})
