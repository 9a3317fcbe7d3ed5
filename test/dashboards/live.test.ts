/** The dashboard, the rules and the runbooks on a real Prometheus that scrapes the running demonstration. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Capacity, CapacityResource, Datacenter, Drill, Hosting, System } from '../../schemas/index.ts'
import { createApiClient } from '../../services/shared/api-client.ts'
import { amountOf } from '../../services/shared/quantity.ts'
import { until } from '../clusters/wait.ts'
import { temporaryFolder } from '../support/folder.ts'
import { acceptableKubeconfig } from '../support/kubeconfig.ts'
import { documentedMetrics, metricsIn } from '../support/metrics-page.ts'
import { startProcess } from '../support/process.ts'
import { promtool, type Sample, startPrometheus } from '../support/prometheus.ts'
import { cli } from '../unit/cli/fake-io.ts'

const patienceMs = 120_000
const root = fileURLToPath(new URL('../..', import.meta.url))
t.setTimeout(280_000)

const folder = temporaryFolder('dashboards')
t.teardown(folder.remove)
const broker = await startProcess(folder.path, [])
t.teardown(() => broker.end('SIGTERM'))
const prometheus = await startPrometheus(folder.path, new URL(broker.management).host)
t.teardown(prometheus.stop)

const loket = createApiClient(broker.api, broker.tokens.loket)
const consumer = createApiClient(broker.api, broker.tokens.consumer ?? '')
const all = async <T>(path: string) => (await loket.get<{ items: T[] }>(`/${path}?limit=500`)).items

let requests = 0
/** Somebody asks for a hosting: a decision, a pass over two datacenters, and the requests that it takes. */
async function ask(cpu = '100m'): Promise<void> {
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = { slug: 'dashboards', name: 'Dashboards', classes }
  const { id: systemId } = await consumer.send<System>('POST', '/systems', system, 'dashboards')
  const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: '128Mi' } }]
  const body = { name: `dashboards-${++requests}`, systemId, components, fallback: { mode: 'cold' } }
  await consumer.send('POST', '/hostings', body, 'dashboards')
}
// And somebody is refused.
await ask('1000000')

/** And somebody tries whether a hosting comes up where it falls back to, and means to do so again. */
async function drill(): Promise<Hosting> {
  const hosting = await until('a hosting that is ready', patienceMs, async () =>
    // Of the party for whom the commands of the runbooks are typed.
    (await consumer.get<{ items: Hosting[] }>('/hostings?limit=500')).items.find(
      ({ state, fallbackStatus }) => state === 'running' && fallbackStatus === 'ready',
    ),
  )
  const planned = { hostingId: hosting.id, kind: 'shadow', cron: '30 6 * * 1', windowMinutes: 30 }
  await loket.send('POST', '/drill-plans', planned, 'dashboards')
  const begun = { hostingId: hosting.id, kind: 'shadow' }
  const { id } = await loket.send<Drill>('POST', '/drills', begun, 'dashboards')
  // There is nothing in it that could come up, which is what the drill finds.
  await until('the drill to have ended', patienceMs, async () => {
    const { state } = await loket.get<Drill>(`/drills/${id}`)
    return state === 'failed' ? state : undefined
  })
  return hosting
}
const drilled = await drill()
// And somebody prepares that it goes there, which waits for a word.
await loket.send('POST', `/hostings/${drilled.id}/failovers`, { reason: 'onderhoud' }, 'dashboards')

/** And somebody works in the datacenters by the gateway. */
async function lookAtPods(): Promise<number | undefined> {
  const { url, ca } = broker.gateway
  const headers = { authorization: `Bearer ${broker.tokens.consumer}` }
  const [answer] = await once(get(`${url}/api/v1/pods`, { ca, headers, agent: false }), 'response')
  answer.resume()
  return answer.statusCode
}

const isData = (samples: readonly Sample[]) => samples.some(({ value }) => !Number.isNaN(value))

/** Has requests made until every expression has answered with a figure; returns those that did not in time. */
async function withoutData(expressions: readonly string[]): Promise<string[]> {
  const open = new Set(expressions)
  // Words of Prometheus about an expression that it does not accept are the test's failure, at once.
  const look = async () => {
    await ask()
    for (const expression of open) if (isData(await prometheus.query(expression))) open.delete(expression)
  }
  const deadline = performance.now() + patienceMs
  for (;;) {
    await look()
    if (open.size === 0 || performance.now() > deadline) return [...open]
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

t.test('Prometheus reads the broker, and evaluates every rule', async (t) => {
  await until('the target to be up', patienceMs, async () => (await prometheus.target()) === 'up' || undefined)
  const rules = await until('all rules to be evaluated', patienceMs, async () => {
    const known = await prometheus.rules()
    return known.length > 0 && known.every((rule) => rule.health !== 'unknown') ? known : undefined
  })
  const ill = rules.filter((rule) => rule.health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`)
  t.same(ill, [], 'none fails')
  const recordings = rules.filter((rule) => rule.type === 'recording').map((rule) => rule.name)
  t.ok(recordings.length > 10)
  t.same(await withoutData(recordings), [], 'every recording rule has a series')

  // An alert that is well returns nothing, so its expression says nothing of a misspelt name. That it fires when it should is
  // proven by promtool (rules.test.ts), on series with the labels of docs/metrics.md; that those are what the broker
  // exposes is proven here: each name in an alert has series, and below each series has its documented labels.
  const alerts = rules.filter((rule) => rule.type === 'alerting')
  t.ok(alerts.length > 10)
  const names = alerts.flatMap(({ query }) => {
    const { exposed, recorded } = metricsIn(query)
    return [...exposed, ...recorded]
  })
  t.same(await withoutData([...new Set(names)].map((name) => `{__name__=~"${name}(_count)?"}`)), [], 'of every name')
})

t.test('every expression of every panel has data, for all and for one datacenter', async (t) => {
  const dashboard = JSON.parse(readFileSync(`${root}deploy/grafana/dashboards/federation.json`, 'utf8'))
  const expressions: string[] = dashboard.panels.flatMap((panel: any) => (panel.targets ?? []).map((x: any) => x.expr))
  t.ok(expressions.length > 40)
  await ask()
  const [site] = await until('a hosting that is placed', patienceMs, async () => {
    const found = await prometheus.query(
      'count by (datacenter, region) (max by (datacenter) (gemeentecloud_hosting_info{datacenter!=""})' +
        ' * on (datacenter) group_left (region) datacenter:gemeentecloud_datacenter_up:max)',
    )
    return found.length > 0 ? found : undefined
  })
  const { datacenter = '', region = '' } = site?.metric ?? {}
  // A table of bytes has no cores to show: its one resource is one that is counted in its unit.
  const resourceOf = (expression: string) =>
    ({ byte: 'memory', integer: 'pods' })[/unit="(\w+)"/.exec(expression)?.[1] ?? ''] ?? 'cpu'
  const filled = (values: (expression: string) => Record<string, string>) =>
    expressions.map((expression) =>
      expression.replaceAll(/\$(\w+)/g, (variable, name) => values(expression)[name] ?? variable),
    )
  const common = { __rate_interval: '1m' }
  const everything = filled(() => ({ ...common, region: '.*', datacenter: '.*', resource: '.*' }))
  const one = filled((expression) => ({ ...common, region, datacenter, resource: resourceOf(expression) }))
  t.same(
    [...everything, ...one].filter((expression) => expression.includes('$')),
    [],
    'no variable is left',
  )
  t.same(await withoutData(everything), [], 'with All chosen')
  t.same(await withoutData(one), [], `with ${datacenter} in ${region} chosen`)

  for (const { name, type, query } of dashboard.templating.list) {
    if (type !== 'query') continue
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? []
    const values = await prometheus.labelValues(label, selector.replace('$region', region))
    t.ok(values.length > 0, `${name} offers ${values.length} to choose from`)
  }
})

t.test('what Prometheus holds is what the API says, of every datacenter', async (t) => {
  const datacenters = await all<Datacenter>('datacenters')
  t.ok(datacenters.length > 30)
  const names = {
    allocatable: 'allocatable',
    offered: 'offered',
    ownUse: 'own_use',
    hosted: 'hosted',
    fallbackReserved: 'fallback_reserved',
    free: 'free',
  } as const satisfies Partial<Record<keyof CapacityResource, string>>
  const figure = (resource: string, text: string) =>
    text === 'unlimited' ? Number.POSITIVE_INFINITY : amountOf(resource, text, 'up') / (resource === 'cpu' ? 1000 : 1)
  const said = async () => {
    const lines: string[] = []
    for (const { id, slug } of datacenters) {
      const { resources } = await loket.get<Capacity>(`/datacenters/${id}/capacity`)
      for (const { resource, unit, ...figures } of resources) {
        for (const [key, name] of Object.entries(names)) {
          const text = figures[key as keyof typeof figures]
          // What is not known has no series.
          if (text !== null) lines.push(`${name} ${slug} ${resource} ${unit} ${figure(resource, text)}`)
        }
      }
    }
    return lines.sort()
  }
  const held = async () => {
    const samples = await prometheus.query(`{__name__=~"gemeentecloud_datacenter_(${Object.values(names).join('|')})"}`)
    return samples
      .map(({ metric: { __name__: name = '', datacenter, resource, unit }, value }) =>
        [name.replace('gemeentecloud_datacenter_', ''), datacenter, resource, unit, value].join(' '),
      )
      .sort()
  }
  // A scrape is a second old and a namespace may just be made: they agree once nothing changes any more.
  const [api, scraped] = await until('Prometheus to have caught up', patienceMs, async () => {
    const both = [await said(), await held()] as const
    return both[0].join() === both[1].join() ? both : undefined
  }).catch(async () => [await said(), await held()] as const)
  t.same(scraped, api, `${api.length} figures`)
  t.ok(
    api.some((line) => line.startsWith('hosted ') && !line.endsWith(' 0')),
    'and not all of them are zero',
  )

  const statuses = await until('statuses to agree', patienceMs, async () => {
    const counts = new Map<string, number>()
    for (const { fallbackStatus, state } of await all<Hosting>('hostings'))
      if (state !== 'ended') counts.set(fallbackStatus, (counts.get(fallbackStatus) ?? 0) + 1)
    const samples = await prometheus.query('status:gemeentecloud_hosting_fallback_status:sum')
    return samples.every(({ metric, value }) => (counts.get(metric['status'] ?? '') ?? 0) === value)
      ? counts
      : undefined
  })
  t.ok((statuses.get('ready') ?? 0) > 0, 'hostings by fallback status agree too')
})

interface Exposed {
  readonly type: string
  readonly help: string
  readonly labels: Set<string>
  series: number
}

/** What /metrics says, of our own metrics. */
function exposedIn(text: string): Map<string, Exposed> {
  const found = new Map<string, Exposed>()
  for (const [, name = '', help = ''] of text.matchAll(/^# HELP (gemeentecloud_\w+) (.+)$/gm)) {
    const type = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text)?.[1] ?? ''
    found.set(name, { type, help, labels: new Set(), series: 0 })
  }
  for (const [, name = '', labels = ''] of text.matchAll(
    /^(gemeentecloud_\w+?)(?:_bucket|_count|_sum)?(?:\{(.*)\})? \S+$/gm,
  )) {
    const metric = found.get(name)
    if (!metric) throw new Error(`${name} has no HELP`)
    metric.series++
    metric.labels.add(
      [...labels.matchAll(/(\w+)="/g)]
        .flatMap(([, label]) => (label === 'le' ? [] : label))
        .sort()
        .join(),
    )
  }
  return found
}

/** What the demonstration has none of: failovers, a restored store, drills passed, data that follows, standbys that lag. */
const ofTrouble: ReadonlySet<string> = new Set([
  'gemeentecloud_drill_last_success_timestamp_seconds',
  'gemeentecloud_failovers_total',
  'gemeentecloud_fallback_awaited',
  'gemeentecloud_failover_duration_seconds',
  'gemeentecloud_fallback_unread_lines_total',
  'gemeentecloud_mirror_lag_seconds',
  'gemeentecloud_rpo_age_seconds',
])

const metricsText = async () => (await fetch(`${broker.management}/metrics`)).text()

t.test('what is exposed is what is documented', async (t) => {
  t.equal(await lookAtPods(), 200)
  const text = await metricsText()
  const exposed = exposedIn(text)
  // The agents of a federation run elsewhere and expose their own.
  const documented = new Map([...documentedMetrics()].filter(([, { help }]) => !/^In an? (agent|guard): /.test(help)))
  t.same([...exposed.keys()].sort(), [...documented.keys()].sort(), 'the same names')
  for (const [name, { type, help, labels, series }] of exposed) {
    const promised = documented.get(name)
    t.same({ type, help }, { type: promised?.type, help: promised?.help }, `${name} is what it is said to be`)
    if (series === 0 && ofTrouble.has(name)) continue
    t.ok(series > 0, `${name} has series in the demonstration`)
    t.same([...labels], [promised?.labels.join()], `${name} has its labels and no others`)
  }
  const ours = text.replaceAll(/^(# (HELP|TYPE) )?(nodejs|process)_.*\n/gm, '')
  const checked = await promtool(['check', 'metrics'], ours)
  t.equal(checked.code, 0, 'promtool finds nothing to say about ours', checked)
})

t.test('the number of series follows from what there is, not from who asks', async (t) => {
  const counted = async () => {
    const found = [...exposedIn(await metricsText())]
    return (prefix: RegExp) => found.reduce((sum, [name, { series }]) => sum + (prefix.test(name) ? series : 0), 0)
  }
  const before = await counted()
  const datacenters = (await all<Datacenter>('datacenters')).length
  const hostings = (await all<Hosting>('hostings')).length
  const resources = (await prometheus.labelValues('resource', 'gemeentecloud_datacenter_offered')).length
  t.ok(
    before(/_datacenter_/) <= datacenters * (6 * resources + 3),
    'per datacenter: six figures of each resource, and three',
  )
  t.ok(before(/_reconcile_total/) <= datacenters * 3, 'per datacenter: three results')
  t.ok(before(/_hosting(s|_)/) <= hostings * 9, 'per hosting: seven statuses, where it is, and its part of a count')

  for (let i = 0; i < 100; i++) {
    const path = [
      `/api/v1/nothing-${i}`,
      `/api/v1/hostings/hst_${i}`,
      `/${i}/metrics`,
      `/api/v1/datacenters/${i}?x=${i}`,
    ][i % 4]
    await (
      await fetch(`${broker.api}${path}`, { method: ['GET', 'PROPFIND', 'DELETE', 'PURGE'][(i >> 2) % 4] ?? '' })
    ).text()
  }
  const routes = Object.keys(await loket.get<object>('/openapi.json').then((document: any) => document.paths)).length
  const after = await counted()
  // Per route and method: of the statuses that it can have a handful, each a histogram of twelve series.
  t.ok(after(/_http_/) <= routes * 4 * 4 * 12, `${after(/_http_/)} series of requests`)
  const strange = (await metricsText()).match(/(PROPFIND|PURGE|nothing-\d|hst_\d)/g)
  t.same(strange, null, 'what callers make up is no label')
})

t.test('every command and query of the runbooks can be typed as it stands', async (t) => {
  const real = (text: string) =>
    text.replaceAll('DATACENTER', drilled.placements[0]?.datacenter ?? '').replaceAll('HOSTING', drilled.name)
  const env = { GEMEENTECLOUD_DATA: folder.path }
  for (const page of readdirSync(`${root}docs/runbooks`)) {
    const text = readFileSync(`${root}docs/runbooks/${page}`, 'utf8')
    const lines = (language: string) =>
      [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].flatMap((block) =>
        (block[1] ?? '').split('\n').flatMap((line) => real(line.replace(/ +#.*$/, '')).trim() || []),
      )
    for (const query of lines('promql')) {
      const names = Object.values(metricsIn(query)).flat()
      await t.resolves(prometheus.query(query), `${page}: ${query}`)
      for (const name of names.filter((each) => !ofTrouble.has(each)))
        t.ok(isData(await prometheus.query(`{__name__=~"${name}(_count)?"}`)), `${page}: ${name} has series`)
    }
    for (const command of lines('sh').filter((line) => line.startsWith('npx gemeentecloud '))) {
      const ended = await cli(command.split(/\s+/).slice(2), { env })
      t.match(ended, { code: 0, err: '' }, `${page}: ${command}`)
      t.ok(ended.out.split('\n').length > 2, `${page}: ${command} has something to show`)
    }
  }
})

t.test('nothing is reported while all is well, and a datacenter that does not answer is', async (t) => {
  const waiting = async () => (await prometheus.query('ALERTS')).map(({ metric }) => metric)
  await until('all alerts to be quiet', patienceMs, async () => {
    const found = await waiting()
    if (found.length > 0) throw new Error(JSON.stringify(found))
    return true
  })
  const [somewhere] = await all<Datacenter>('datacenters')
  const { region, position, security } = somewhere as Datacenter
  const described = { slug: 'away', name: 'Away', region, position, security, failureDomains: [], capabilities: [] }
  const connection = { kind: 'push', kubeconfig: acceptableKubeconfig() }
  const provider = createApiClient(broker.api, broker.tokens.provider ?? '')
  await provider.send('POST', '/datacenters', { ...described, connection }, 'dashboards')
  const alert = await until('the alert', patienceMs, async () => (await waiting())[0])
  t.match(alert, { alertname: 'GemeentecloudDatacenterUnreachable', datacenter: 'away', region, severity: 'warning' })
  t.equal((await waiting()).length, 1, 'and nothing else')
  t.equal(
    (await prometheus.query('gemeentecloud_datacenter_free{datacenter="away"}')).length,
    0,
    'not known is not zero',
  )
})
