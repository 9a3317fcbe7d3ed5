/** Why datacenters were refused: how often each reason, then who came near one by one, and the rest by their number. */
import type { DecisionView, Refusal } from '../../schemas/index.ts'
import { explainGroup } from '../placement/index.ts'
import { renderTable } from './table.ts'
import { duration, type Paint } from './text.ts'

/** What a datacenter is and where it lies: no offer and no waiting would help, so many of a kind are a number. */
const offTheTable = new Set([
  'region',
  'region-excluded',
  'operator-excluded',
  'datacenter-excluded',
  'classes',
  'capability',
  'storage-class',
  'storage-class-shared',
  'failure-domain',
])
const few = 3

/** Refusals of one role, rule and resource, the most frequent first. */
function groupsOf(refusals: readonly Refusal[]): [Refusal, ...Refusal[]][] {
  const groups = Map.groupBy(refusals, ({ role, rule, resource = '' }) => JSON.stringify([role, rule, resource]))
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .flatMap(([first, ...rest]) => (first ? [[first, ...rest] as [Refusal, ...Refusal[]]] : []))
}

/** One line per role, rule and resource; what passes by itself is said below. */
export function refusalGroups(refusals: readonly Refusal[], paint: Paint): string {
  const unseen = new Set(refusals.filter(({ rule }) => rule === 'inventory-stale').map(({ datacenter }) => datacenter))
  const passes = 'Each is looked at every few seconds: if the broker has just started, ask again.'
  const again = unseen.size === 0 ? '' : `\n${unseen.size} not seen for too long. ${passes}\n`
  const table = renderTable(
    [{ title: 'DATACENTERS', right: true }, { title: 'AS' }, { title: 'REFUSED FOR' }, { title: 'RESOURCE' }],
    groupsOf(refusals).map((group) => [String(group.length), group[0].role, group[0].rule, group[0].resource ?? '']),
    paint,
  )
  return table + again
}

/** One line per refusal, the nearest miss first; where they are many for what nobody can change, one line for all. */
export function refusalsPerDatacenter({ refusals, nearestMiss }: DecisionView, paint: Paint): string {
  const many = groupsOf(refusals).filter((group) => group.length > few && offTheTable.has(group[0].rule))
  const gathered = new Set(many.flat())
  const isNearest = ({ datacenterId, role }: Refusal) =>
    nearestMiss?.datacenterId === datacenterId && nearestMiss.role === role
  const single = refusals
    .filter((refusal) => !gathered.has(refusal))
    .sort(
      (a, b) =>
        Number(isNearest(b)) - Number(isNearest(a)) ||
        Number(offTheTable.has(a.rule)) - Number(offTheTable.has(b.rule)) ||
        a.datacenter.localeCompare(b.datacenter) ||
        a.role.localeCompare(b.role),
    )
  return renderTable(
    [{ title: 'DATACENTER' }, { title: 'AS' }, { title: 'WHY' }, { title: 'FIGURES ARE' }],
    [
      ...single.map(({ datacenter, role, message, ageSeconds }) => [
        datacenter,
        role,
        message,
        ageSeconds === undefined ? '' : duration(ageSeconds),
      ]),
      ...many.map((group) => [`${group.length} datacenters`, group[0].role, explainGroup(group[0], 'en'), '']),
    ],
    paint,
  )
}
