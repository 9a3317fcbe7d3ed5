/** The names of a hosting: announced where its lease is, withdrawn where it was, whatever is away meanwhile. */
import t from 'tap'
import { runTraffic } from '../../services/broker/traffic/index.ts'
import { at, fallbackStage } from '../support/fallback-stage.ts'
import { until } from '../support/until.ts'
import { type FakeSite, fakeSite, gone } from '../unit/mirror/fake-site.ts'

t.setTimeout(120_000)

t.test('names follow the lease', async (t) => {
  const stage = await fallbackStage(t)
  const { api } = stage
  stage.lead()
  const asked = { endpoints: [{ dnsName: 'zaken.example', ingress: 'web', ttlSeconds: 30 }] }
  const automatic = { mode: 'cold', activity: 'exclusive', policy: 'automatic' }
  const hosting = await stage.host('exclusief', automatic, asked)
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(hosting.id, from)

  const sites = new Map<string, FakeSite>([from, to].map((id) => [id, fakeSite(id, hosting.id)]))
  const ended = new AbortController()
  const [{ epoch = 0 } = {}] = await api.kit.database.query<{ epoch: number }>('select epoch from leader')
  const reach = async ({ datacenter_id: id }: { datacenter_id: string }) => {
    const site = sites.get(id)
    if (!site) throw new Error('no such site')
    return site.client
  }
  const running = runTraffic(api.kit, { epoch, signal: ended.signal }, { reach, lookMs: 50 })
  const targets = (id: string) => sites.get(id)?.get('DNSEndpoint', 'gemeentecloud')?.spec.endpoints[0].targets
  const announcements = () =>
    api.kit.database.query<any>('select datacenter_id, stands, problem from announcements order by stands')
  const ingress = (id: string, ip: string) =>
    sites.get(id)?.write({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      status: { loadBalancer: { ingress: [{ ip }] } },
    })

  await until(
    async () => /has no address/.test((await announcements())[0]?.problem ?? ''),
    'that no address is there is told',
  )
  ingress(from, '192.0.2.1')
  ingress(to, '192.0.2.2')
  await until(() => targets(from)?.[0] === '192.0.2.1', 'it is announced')
  t.equal(targets(to), undefined, 'and only where it is active')

  const lost = sites.get(from)
  if (lost) lost.before = gone
  stage.sites.site(from).cut()
  await until(() => targets(to)?.[0] === '192.0.2.2', 'it is announced at the standby, while the other is away')
  t.match(
    await announcements(),
    [{ datacenter_id: String }, { datacenter_id: String }],
    'what may stand there is not forgotten',
  )
  if (lost) lost.before = () => undefined
  await until(() => targets(from) === undefined, 'it is withdrawn where it was')
  await until(async () => (await announcements()).length === 1, 'and that is known')
  t.match(await announcements(), [{ datacenter_id: to, stands: true, problem: null }])

  await api.call('consumer', 'DELETE', `hostings/${hosting.id}`)
  await until(() => targets(to) === undefined, 'when it ends it is announced nowhere')
  ended.abort()
  await running
})

t.test('in doubt of a restored store names stay as they stand, and nobody is told a place', async (t) => {
  const stage = await fallbackStage(t)
  const { api } = stage
  const stop = stage.lead()
  const asked = { endpoints: [{ dnsName: 'zaken.example', ingress: 'web' }] }
  const hosting = await stage.host('getwijfeld', { mode: 'cold', activity: 'pinned' }, asked)
  const [runsAt, saidAt] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(hosting.id, runsAt)
  await stop()

  const sites = new Map<string, FakeSite>([runsAt, saidAt].map((id) => [id, fakeSite(id, hosting.id)]))
  for (const [id, ip] of [
    [runsAt, '192.0.2.1'],
    [saidAt, '192.0.2.2'],
  ] as const)
    sites.get(id)?.write({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      status: { loadBalancer: { ingress: [{ ip }] } },
    })
  const { database } = api.kit
  let looks = 0
  const counted = {
    ...database,
    query: ((text, values) => {
      if (/from announcements/.test(text)) looks += 1
      return database.query(text, values)
    }) as typeof database.query,
  }
  const ended = new AbortController()
  const [{ epoch = 0 } = {}] = await database.query<{ epoch: number }>('select epoch from leader')
  const reach = async ({ datacenter_id: id }: { datacenter_id: string }) => sites.get(id)?.client as never
  const running = runTraffic({ ...api.kit, database: counted }, { epoch, signal: ended.signal }, { reach, lookMs: 20 })
  const targets = (id: string) => sites.get(id)?.get('DNSEndpoint', 'gemeentecloud')?.spec.endpoints[0].targets[0]
  const say = (holder: string, amnesia: boolean) =>
    database.query(
      `update leases set holder = $1, row = row || jsonb_build_object('holder', $1::text, 'amnesia', $2::boolean)`,
      [holder, amnesia],
    )
  await until(() => targets(runsAt) === '192.0.2.1', 'it is announced')

  await say(saidAt, true)
  const before = looks
  await until(() => looks > before + 3, 'it has looked since')
  t.same([targets(runsAt), targets(saidAt)], ['192.0.2.1', undefined], 'what stands is left')
  const asking = await api.call('consumer', 'GET', `hostings/${hosting.id}/active`)
  t.match([asking.status, asking.body.type, asking.headers['retry-after']], [503, /in-doubt$/, '5'])

  await say(saidAt, false)
  await until(() => targets(saidAt) === '192.0.2.2' && targets(runsAt) === undefined, 'what is known then is followed')
  ended.abort()
  await running
})
