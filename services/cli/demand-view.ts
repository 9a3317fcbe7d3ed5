/** A demand on a terminal, before it is sent: components, volumes and what they come to. */
import { sumOf } from '../shared/amounts.ts'
import { amountOf, formatAmount } from '../shared/quantity.ts'
import type { Draft } from './request.ts'
import { renderTable } from './table.ts'
import { line, type Paint } from './text.ts'

/** The file may hold anything: what cannot be counted is shown without a sum, the API says later what is wrong. */
export function demandText(draft: Draft, paint: Paint): string {
  const components = Array.isArray(draft.components) ? draft.components : []
  const volumes = Array.isArray(draft.volumes) ? draft.volumes : []
  const componentTable = renderTable(
    [{ title: 'COMPONENT' }, { title: 'REPLICAS', right: true }, { title: 'EACH' }, { title: 'ONE PER' }],
    components.map(({ name, replicas, minReplicas, maxReplicas, requests = {}, onePerNode, onePerZone }) => [
      String(name),
      String(replicas) + bounds(minReplicas, maxReplicas),
      amountsText(requests),
      [onePerNode && 'node', onePerZone && 'zone'].filter(Boolean).join(', '),
    ]),
    paint,
  )
  const volumeTable = renderTable(
    [
      { title: 'VOLUME' },
      { title: 'CLASS' },
      { title: 'SIZE', right: true },
      { title: 'COUNT', right: true },
      { title: 'MODE' },
    ],
    volumes.map(({ name, storageClass, size, accessMode, count = 1 }) => [
      String(name),
      String(storageClass),
      String(size),
      String(count),
      String(accessMode),
    ]),
    paint,
  )
  const total = totals(components)
  return [
    line`${String(draft['name'])} for system ${String(draft['systemSlug'] ?? draft['systemId'])}\n\n`,
    componentTable,
    ...(volumes.length > 0 ? ['\n', volumeTable] : []),
    ...(total ? [`\nTogether ${total}\n`] : []),
  ].join('')
}

function bounds(least: number | undefined, most: number | undefined): string {
  const parts = [least !== undefined && `from ${least}`, most !== undefined && `up to ${most}`].filter(Boolean)
  return parts.length > 0 ? ` (${parts.join(' ')})` : ''
}

function totals(components: NonNullable<Draft['components']>): string | undefined {
  try {
    const each = components.map(({ replicas, requests }) =>
      Object.fromEntries(
        Object.entries(requests).map(([resource, text]) => [resource, replicas * amountOf(resource, text, 'up')]),
      ),
    )
    const sums = Object.entries(sumOf(each))
    return amountsText(Object.fromEntries(sums.map(([name, sum]) => [name, formatAmount(name, sum)])))
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

const amountsText = (amounts: Readonly<Record<string, string>>): string =>
  Object.entries(amounts)
    .map(([resource, amount]) => line`${resource} ${String(amount)}`)
    .join(', ')
