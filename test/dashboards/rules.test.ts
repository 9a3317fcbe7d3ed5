/** Rules and scrape configurations by promtool, and each alert with its tests and its runbook. No broker is needed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { temporaryFolder } from '../support/folder.ts'
import { documentedMetrics, metricsIn } from '../support/metrics-page.ts'
import { prometheusFolder, promtool } from '../support/prometheus.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const filesIn = (folder: string) => readdirSync(join(prometheusFolder, folder)).map((file) => join(folder, file))
const read = (file: string) => parse(readFileSync(join(prometheusFolder, file), 'utf8'))

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

interface RuleTest {
  readonly name: string
  readonly input_series: readonly { readonly series: string }[]
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
}

const rules: Rule[] = filesIn('rules').flatMap((file) => read(file).groups.flatMap((group: any) => group.rules))
const alerts = rules.filter((rule) => rule.alert !== undefined)
const recorded = new Set(rules.flatMap(({ record }) => record ?? []))
const testFiles = filesIn('tests')
const tests: RuleTest[] = testFiles.flatMap((file) => read(file).tests)

t.test('promtool takes the configuration and the rules', async (t) => {
  const config = await promtool([
    'check',
    'config',
    '--lint=all',
    '--lint-fatal',
    join(prometheusFolder, 'prometheus.yml'),
  ])
  t.equal(config.code, 0, 'prometheus.yml', config)
  t.match(config.output, /2 rule files found/)
  for (const file of filesIn('rules')) {
    const checked = await promtool(['check', 'rules', '--lint-fatal', join(prometheusFolder, file)])
    t.equal(checked.code, 0, file, checked)
  }
})

t.test('every alert fires when it should and only then', async (t) => {
  for (const file of testFiles) {
    const tested = await promtool(['test', 'rules', join(prometheusFolder, file)])
    t.equal(tested.code, 0, file, tested)
  }
  const expectations = tests.flatMap((test) => test.alert_rule_test)
  for (const { alert } of alerts) {
    const mine = expectations.filter(({ alertname }) => alertname === alert)
    t.ok(
      mine.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} has a test in which it fires`,
    )
    t.ok(
      mine.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} has a test in which it does not`,
    )
  }
})

t.test('each severity of an alert is tested', async (t) => {
  const fired = tests.flatMap((test) =>
    test.alert_rule_test.flatMap(({ alertname, exp_alerts }) =>
      exp_alerts.map((each: any) => `${alertname} ${each.exp_labels.severity}`),
    ),
  )
  for (const { alert, labels } of alerts)
    t.ok(fired.includes(`${alert} ${labels.severity}`), `${alert} ${labels.severity}`)
})

t.test('the tests use the metrics as they are exposed', async (t) => {
  const documented = documentedMetrics()
  const series = tests.flatMap((test) => test.input_series.map(({ series }) => series))
  const wrong = series.filter((text) => {
    const [, name = '', labels = ''] = /^(\w+?)(?:_bucket|_count|_sum)?\{(.*)\}$/.exec(text) ?? []
    // What Prometheus adds by itself is not the broker's.
    const names = [...labels.matchAll(/(\w+)=/g)].map((label) => label[1] ?? '')
    const own = names.filter((label) => !['job', 'instance', 'le'].includes(label)).sort()
    return own.join() !== documented.get(name)?.labels.join()
  })
  t.ok(series.length > 0)
  t.same([...new Set(wrong)], [], 'with the labels of docs/metrics.md, no more and no less')
})

t.test('rules use what is exposed or recorded', async (t) => {
  const documented = documentedMetrics()
  for (const { alert, record, expr } of rules) {
    const names = metricsIn(expr)
    const unknown = [
      ...names.exposed.filter((name) => !documented.has(name) && !recorded.has(name)),
      ...names.recorded.filter((name) => !recorded.has(name)),
    ]
    t.ok(names.exposed.length + names.recorded.length > 0, `${alert ?? record} looks at something of ours`)
    t.same(unknown, [], `${alert ?? record} uses only names that exist`)
  }
})

t.test('every alert says what is the matter, how grave it is, and where to read on', async (t) => {
  const runbooks = join(root, 'docs/runbooks')
  const index = readFileSync(join(runbooks, 'README.md'), 'utf8')
  for (const { alert = '', labels, annotations } of alerts) {
    t.match(labels.severity, /^(critical|warning)$/, `${alert} has a severity`)
    t.ok(annotations['summary'] && annotations['description'], `${alert} has its words`)
    const slug = alert
      .replace('Gemeentecloud', '')
      .replaceAll(/(?<!^)[A-Z]/g, '-$&')
      .toLowerCase()
    t.equal(annotations['runbook'], `docs/runbooks/${slug}.md`, `${alert} names its runbook`)
    const page = readFileSync(join(runbooks, `${slug}.md`), 'utf8')
    t.ok(page.includes(`\`${alert}\``), `${slug}.md is about ${alert}`)
    t.ok(page.includes(labels.severity), `${slug}.md tells its severity`)
    t.ok(index.includes(`(${slug}.md)`), `${slug}.md is in the index`)
    const parts = [...page.matchAll(/^## (.+)$/gm)].map((heading) => heading[1])
    const wanted = ['What it means', 'What people feel', 'Look here first', 'What to do', 'When to wake somebody']
    t.same(parts, wanted, `${slug}.md has its five parts`)
  }
  const pages = readdirSync(runbooks).filter((file) => file !== 'README.md')
  t.equal(pages.length, new Set(alerts.map(({ alert }) => alert)).size, 'no page is about an alert that is no more')
})

t.test('in Kubernetes the management port of each running replica is found, and nothing else', async (t) => {
  // Debian builds Prometheus without the Kubernetes discovery, so what it would find is put in its place.
  const { path, remove } = temporaryFolder('discovery')
  t.teardown(remove)
  const config = parse(readFileSync(join(prometheusFolder, 'prometheus.kubernetes.yml'), 'utf8'))
  t.match(config.scrape_configs, [{ kubernetes_sd_configs: [{ role: 'pod' }] }])
  const pod = (address: string, app: string, port: string, phase: string) => ({
    targets: [address],
    labels: {
      __meta_kubernetes_pod_name: `${app}-0`,
      __meta_kubernetes_pod_label_app_kubernetes_io_name: app,
      __meta_kubernetes_pod_container_port_name: port,
      __meta_kubernetes_pod_phase: phase,
    },
  })
  const [{ kubernetes_sd_configs: _, ...job }] = config.scrape_configs
  job.static_configs = [
    pod('10.0.0.1:8081', 'gemeentecloud', 'management', 'Running'),
    pod('10.0.0.1:8080', 'gemeentecloud', 'api', 'Running'),
    pod('10.0.0.2:8081', 'gemeentecloud', 'management', 'Failed'),
    pod('10.0.0.3:8081', 'other', 'management', 'Running'),
    pod('10.0.0.4:8081', 'gemeentecloud-gateway', 'management', 'Running'),
    pod('10.0.0.4:8443', 'gemeentecloud-gateway', 'gateway', 'Running'),
  ]
  const file = join(path, 'prometheus.yml')
  writeFileSync(file, stringify({ ...config, rule_files: [], scrape_configs: [job] }))
  const found = await promtool(['check', 'service-discovery', '--timeout=3s', file, 'gemeentecloud'])
  t.equal(found.code, 0, 'promtool takes it', found)
  // Those that are dropped have no labels; the order is promtool's own.
  const kept = (JSON.parse(found.output) as { labels?: Record<string, string> }[])
    .flatMap(({ labels }) => (labels?.['__address__'] === undefined ? [] : [labels]))
    .sort((a, b) => String(a['instance']).localeCompare(String(b['instance'])))
  t.equal(kept.length, 2)
  t.match(kept, [
    { __address__: '10.0.0.1:8081', instance: 'gemeentecloud-0', job: 'gemeentecloud' },
    { __address__: '10.0.0.4:8081', instance: 'gemeentecloud-gateway-0', job: 'gemeentecloud-gateway' },
  ])
})
