/** The committed dashboard as Grafana would read it: whole, explained, in units, about metrics that exist. No broker needed. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { documentedMetrics, metricsIn } from '../support/metrics-page.ts'

const folder = fileURLToPath(new URL('../../deploy/grafana/', import.meta.url))
const dashboard = JSON.parse(readFileSync(`${folder}dashboards/federation.json`, 'utf8'))
const panels: any[] = dashboard.panels.filter((panel: any) => panel.type !== 'row')
const rules = readFileSync(new URL('../../deploy/prometheus/rules/recording.yml', import.meta.url), 'utf8')
const recorded = new Set([...rules.matchAll(/- record: (\S+)/g)].map((match) => match[1]))

t.test('every panel says what it shows, in which unit, and what is not known', async (t) => {
  t.ok(panels.length > 20)
  for (const { id, title, description, datasource, fieldConfig, targets } of panels) {
    const { unit, noValue } = fieldConfig.defaults
    t.ok(title && description?.length > 20, `${id} has a title and a description`)
    t.ok(unit, `${title} has a unit`)
    t.equal(noValue, 'not known', `${title} shows no zero for what is not known`)
    t.equal(datasource.uid, '${datasource}', `${title} takes the chosen Prometheus`)
    t.ok(targets.length > 0, `${title} asks something`)
    t.equal(
      new Set(targets.map((target: any) => target.refId)).size,
      targets.length,
      `${title} tells its queries apart`,
    )
  }
  const ids = dashboard.panels.map((panel: any) => panel.id)
  t.equal(new Set(ids).size, ids.length, 'each panel has a number of its own')
  const gaps = panels.filter(
    (panel) => panel.type === 'timeseries' && panel.fieldConfig.defaults.custom.spanNulls !== false,
  )
  t.same(gaps, [], 'a gap stays a gap')
})

t.test('panels lie side by side and fill their rows', async (t) => {
  const cells = new Set<string>()
  const twice: string[] = []
  for (const { title, gridPos } of dashboard.panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        if (x >= 24 || cells.has(`${x},${y}`)) twice.push(title)
        cells.add(`${x},${y}`)
      }
    }
  }
  t.same([...new Set(twice)], [], 'none covers another or sticks out')
})

t.test('expressions use what is exposed or recorded, and variables that there are', async (t) => {
  const documented = documentedMetrics()
  const variables = new Set(dashboard.templating.list.map((variable: any) => variable.name))
  t.same([...variables].sort(), ['datacenter', 'datasource', 'region', 'resource', 'runbooks'])
  const expressions: string[] = [
    ...panels.flatMap((panel) => panel.targets.map((target: any) => target.expr)),
    ...dashboard.templating.list.flatMap((variable: any) => variable.query.query ?? []),
  ]
  for (const expression of expressions) {
    const { exposed, recorded: used } = metricsIn(expression)
    const unknown = [
      ...exposed.filter((name) => !documented.has(name) && !recorded.has(name)),
      ...used.filter((name) => !recorded.has(name)),
      ...[...expression.matchAll(/\$(\w+)/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => !variables.has(name) && name !== '__rate_interval'),
    ]
    t.same(unknown, [], expression)
  }
})

t.test('the runbooks are one click away', async (t) => {
  const [link] = dashboard.links
  t.equal(link.url, '${runbooks:raw}/README.md')
  t.equal(link.placement, undefined, 'in sight, not in a menu')
})

t.test('the example has Grafana take these files', async (t) => {
  const read = (kind: string) =>
    readdirSync(`${folder}provisioning/${kind}`).map((file) =>
      parse(readFileSync(`${folder}provisioning/${kind}/${file}`, 'utf8')),
    )
  t.match(read('datasources'), [{ apiVersion: 1, datasources: [{ type: 'prometheus', url: /^http:/ }] }])
  t.match(read('dashboards'), [{ apiVersion: 1, providers: [{ type: 'file', options: { path: /dashboards/ } }] }])
})
