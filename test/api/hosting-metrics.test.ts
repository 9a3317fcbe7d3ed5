/** The metrics of hostings say what the API says of each, and are read from the store by kind rather than one by one. */
import t from 'tap'
import { hostingMetrics } from '../../services/broker/hosting/index.ts'
import { selectAlike } from '../../services/broker/hosting/store.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const components = [{ name: 'web', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]

t.test('each hosting has its series, as the API has it', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter({ slug: 'parkstad' })
  await api.activeDatacenter({ slug: 'utrecht', position: { latitude: 52.9, longitude: 6.5 } })
  api.schedule()
  const system = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const ask = async (name: string, mode: string, more = {}) => {
    const body = { name, systemId, components, fallback: { mode }, ...more }
    const sent = { body, headers: { prefer: 'wait=60' } }
    t.equal((await api.call('consumer', 'POST', 'hostings', sent)).status, 201)
  }
  for (const name of ['a', 'b', 'c']) await ask(name, 'cold')
  await ask('alone', 'none')
  await ask('nowhere', 'none', { constraints: { regions: ['atlantis'] } })
  await ask('gone', 'none', { constraints: { regions: ['atlantis'] } })
  const [gone] = (await api.call('consumer', 'GET', 'hostings?name=gone')).body.items
  await api.call('consumer', 'DELETE', `hostings/${gone.id}`)
  await api.kit.database.query(`update placements set observed = 'ready' where role = 'primary'`)

  const registry = createRegistry()
  hostingMetrics(registry, api.kit)
  const metrics = await registry.getMetricsAsJSON()
  const samples = (name: string) => (metrics.find((m) => m.name === name)?.values ?? []) as unknown as Sample[]
  const living = (await api.call('consumer', 'GET', 'hostings')).body.items.filter(
    ({ state }: { state: string }) => state !== 'ended',
  )
  const site = (hosting: any, role: string) =>
    hosting.placements.find((p: { role: string }) => p.role === role)?.datacenter ?? ''
  const expected = living.map((hosting: any) => ({
    hosting: hosting.name,
    system: 'zaak',
    state: hosting.state,
    datacenter: site(hosting, 'primary'),
    standby: site(hosting, 'standby'),
  }))
  const byName = (a: { hosting: string }, b: { hosting: string }) => a.hosting.localeCompare(b.hosting)
  const info = samples('gemeentecloud_hosting_info').map(({ labels }) => labels as { hosting: string })
  t.same(info.sort(byName), expected.sort(byName))
  t.same(
    samples('gemeentecloud_hosting_fallback_status')
      .filter(({ value }) => value === 1)
      .map(({ labels }) => [labels.hosting, labels.status])
      .sort(),
    living.map((hosting: any) => [hosting.name, hosting.fallbackStatus]).sort(),
  )
  const counted = samples('gemeentecloud_hostings').reduce((sum, { value }) => sum + value, 0)
  t.equal(counted, 5, 'and is counted once, but for the one that has ended')
})

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

t.test('hostings that are alike are one row, without what was asked and decided', async (t) => {
  const api = await testApi(t)
  const system = { slug: 'zaak', name: 'Zaak', classes }
  const systemId = (await api.call('consumer', 'POST', 'systems', { body: system })).body.id
  const names = Array.from({ length: 30 }, (_, i) => `h-${String(i).padStart(2, '0')}`)
  for (const name of names)
    await api.call('consumer', 'POST', 'hostings', { body: { name, systemId, components, fallback: { mode: 'cold' } } })
  t.same(await selectAlike(api.kit.database), [
    {
      system: 'zaak',
      wanted: 'running',
      scheduling: 'pending',
      fallback_mode: 'cold',
      broken: false,
      placements: [],
      operation: null,
      drillOverdue: false,
      names,
    },
  ])
})
