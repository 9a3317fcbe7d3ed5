/** The public contract of the metrics, read from docs/metrics.md as a person would. */
import { readFileSync } from 'node:fs'

export interface DocumentedMetric {
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

const page = new URL('../../docs/metrics.md', import.meta.url)
const row = /^\| `(\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$/gm

export function documentedMetrics(): Map<string, DocumentedMetric> {
  return new Map(
    [...readFileSync(page, 'utf8').matchAll(row)].map(([, name = '', type = '', labels = '', help = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`(\w+)`/g)].map((label) => label[1] ?? '').sort(), help },
    ]),
  )
}

/** The names of our metrics in an expression, without what a histogram adds; names with colons are recorded by rules. */
export function metricsIn(expression: string): { readonly exposed: string[]; readonly recorded: string[] } {
  const names = expression.replaceAll(/"[^"]*"/g, '""').match(/\b[a-z_]*:?gemeentecloud_[a-z0-9_:]+\b/g) ?? []
  return {
    exposed: names.filter((name) => !name.includes(':')).map((name) => name.replace(/_(bucket|count|sum)$/, '')),
    recorded: names.filter((name) => name.includes(':')),
  }
}
