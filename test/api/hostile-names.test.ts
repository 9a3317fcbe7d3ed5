/** Resources that are called as what every JavaScript object has: offered, counted and shown like any other. */
import pino from 'pino'
import t from 'tap'
import { datacenterMetrics } from '../../services/broker/datacenters/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { testApi } from '../support/api.ts'

t.test('an offer of a resource called constructor is shown by the capacity and the metrics', async (t) => {
  const api = await testApi(t)
  const amounts = { cpu: '1', memory: '1Gi', pods: '1', constructor: '3', toString: '4' }
  const id = await api.activeDatacenter({ slug: 'utrecht', offer: amounts })
  const { status, body } = await api.call('consumer', 'GET', `datacenters/${id}/capacity`)
  t.equal(status, 200)
  t.match(
    body.resources.find((r: { resource: string }) => r.resource === 'constructor'),
    { offered: '3', allocatable: '0', free: '0' },
  )
  const registry = createRegistry()
  datacenterMetrics(registry, api.kit)
  t.match(
    await registry.metrics(),
    /datacenter_offered\{datacenter="utrecht",resource="constructor",unit="integer"\} 3\n/,
  )
})

t.test('a name that Kubernetes would not take is refused with its pointer', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ offer: null })
  const period = { start: '2026-01-01T00:00:00Z', end: null }
  const offer = { amounts: { 'a//b': '1' }, period, quality: 'guaranteed', tariff: {} }
  const refused = await api.call('provider', 'POST', `datacenters/${id}/offers`, { body: offer })
  t.match(refused, { status: 400, body: { errors: [{ pointer: '/amounts/a~1~1b' }] } })
})

t.test(
  'a datacenter whose rows cannot be computed is left out and told to the log; the others have figures',
  async (t) => {
    const api = await testApi(t)
    const broken = await api.activeDatacenter({ slug: 'broken' })
    await api.activeDatacenter({ slug: 'whole' })
    await api.kit.database.query(`update inventories set nodes = '[null]' where datacenter_id = $1`, [broken])
    const lines: string[] = []
    const registry = createRegistry()
    datacenterMetrics(registry, { ...api.kit, log: pino({}, { write: (line: string) => lines.push(line) }) })
    const page = await registry.metrics()
    t.match(page, /datacenter_free\{datacenter="whole",resource="cpu",unit="core"\} 64\n/)
    t.notMatch(page, /datacenter_free\{datacenter="broken"/)
    t.match(lines.join(''), /"datacenter":"broken"/)
  },
)

t.test('the failure domain that is a site follows from the datacenter, and is not declared', async (t) => {
  const api = await testApi(t)
  const body = (failureDomains: string[]) => ({
    slug: 'utrecht',
    name: 'Utrecht',
    region: 'utrecht',
    position: { latitude: 52.09, longitude: 5.12 },
    failureDomains,
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
  })
  const refused = await api.call('provider', 'POST', 'datacenters', { body: body(['grid/west', 'site/dc-other']) })
  t.match(refused, { status: 400, body: { errors: [{ pointer: '/failureDomains/1' }] } })
  t.equal((await api.call('provider', 'POST', 'datacenters', { body: body(['grid/site', 'sites/x']) })).status, 201)
})
