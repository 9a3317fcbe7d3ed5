/** The register of unmet demand: who was refused is on it, added up, until it has a place or is no longer wanted. */
import t from 'tap'
import { unmetMetrics } from '../../services/broker/hosting/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
type As = Parameters<TestApi['call']>[0]

async function asker(api: TestApi, as: As, slug: string) {
  const systemId = (await api.call(as, 'POST', 'systems', { body: { slug, name: slug, classes } })).body.id
  return async (name: string, cpu: string, more: object = {}) => {
    const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }]
    const body = { name, systemId, components, fallback: { mode: 'none' }, ...more }
    return (await api.call(as, 'POST', 'hostings', { body, headers: { prefer: 'wait=25' } })).body
  }
}

t.test('by region and reason, a party its own, the others all of it without names', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ region: 'utrecht', offer: { cpu: '4', memory: '64Gi', pods: '50' } })
  const other = await api.newParty('consumer', 'Gemeente Stil')
  const [ask, askOther] = [await asker(api, 'consumer', 'zaak'), await asker(api, other, 'klant')]
  api.schedule()
  const inUtrecht = { constraints: { regions: ['utrecht'] } }
  const first = await ask('one', '6', { ...inUtrecht, waitForCapacity: true })
  await ask('two', '7', inUtrecht)
  await ask('far', '1', { constraints: { regions: ['limburg', 'zeeland'] } })
  await askOther('stil', '8')
  t.equal((await ask('fits', '1')).state, 'provisioning')

  const read = async (as: As, query = '') => (await api.call(as, 'GET', `unmet-demand${query}`)).body.items
  const short = {
    region: 'utrecht',
    rule: 'offer-short',
    resource: 'cpu',
    reason: 'not enough cpu on offer',
    hostings: 2,
    waiting: 1,
    amounts: { cpu: '13', memory: '2Gi', pods: '2' },
    since: first.createdAt,
  }
  const own = await read('consumer')
  t.equal(own.length, 3)
  t.match(
    own.find((entry: { region: string }) => entry.region === 'utrecht'),
    short,
  )
  for (const region of ['limburg', 'zeeland'])
    t.match(await read('consumer', `?region=${region}`), [{ region, rule: 'region', resource: null, hostings: 1 }])
  for (const as of ['provider', 'loket', 'auditor'] as const) {
    const all = await read(as)
    t.equal(all.length, 4, as)
    t.match(
      all.find((entry: { region: string | null }) => entry.region === null),
      { rule: 'offer-short', hostings: 1, amounts: { cpu: '8' } },
    )
    t.notMatch(JSON.stringify(all), /Stil|stil|zaak|pty_|hst_/, 'whose it is stays theirs')
  }
  t.equal((await read('consumer', '?rule=offer-short')).length, 1)
  t.match(await read('consumer', '?region=utrecht&language=nl'), [{ reason: 'te weinig cpu in het aanbod' }])
  const dutch = await api.call('loket', 'GET', 'unmet-demand', { headers: { 'accept-language': 'de, nl-NL;q=0.8' } })
  t.equal(dutch.headers['content-language'], 'nl')

  const pages = [(await api.call('loket', 'GET', 'unmet-demand?limit=3')).body]
  pages.push((await api.call('loket', 'GET', `unmet-demand?limit=3&cursor=${pages[0].next}`)).body)
  t.same(
    pages.flatMap(({ items }) => items),
    await read('loket'),
    'page by page the same',
  )

  const registry = createRegistry()
  unmetMetrics(registry, api.kit)
  const page = await registry.metrics()
  t.match(page, 'gemeentecloud_unmet_demand_hostings{region="utrecht",rule="offer-short"} 2')
  t.match(page, /gemeentecloud_unmet_demand_oldest_age_seconds{region="utrecht",rule="offer-short"} \d+(\.\d+)?\n/)
  t.match(page, 'gemeentecloud_unmet_demand_hostings{region="any",rule="offer-short"} 1')
  t.match(page, 'gemeentecloud_unmet_demand_hostings{region="other",rule="region"} 2')
  t.match(page, 'gemeentecloud_unmet_demand_amount{region="utrecht",rule="offer-short",resource="cpu",unit="core"} 13')

  await t.test('an entry ends with a place or with the hosting', async (t) => {
    const [, two] = (await api.call('consumer', 'GET', 'hostings')).body.items
    t.equal((await api.call('consumer', 'DELETE', `hostings/${two.id}`)).status, 202)
    t.match(await read('consumer', '?region=utrecht'), [{ hostings: 1, waiting: 1, amounts: { cpu: '6' } }])
    const offer = {
      amounts: { cpu: '4', memory: '64Gi' },
      period: { start: '2026-01-01T00:00:00Z', end: null },
      quality: 'guaranteed',
      tariff: {},
    }
    t.equal((await api.call('provider', 'POST', `datacenters/${id}/offers`, { body: offer })).status, 201)
    const events = await api.eventsOf('consumer', first.id, 4)
    t.equal(events.at(-1).type, 'hosting.placed')
    t.same(await read('consumer', '?region=utrecht'), [])
    t.match(await registry.metrics(), /^(?![\s\S]*region="utrecht")/, 'nor in the metrics')
  })
})
