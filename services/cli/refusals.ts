/** Why datacenters were refused: first how often each reason, then each datacenter with its figures. */
import type { Refusal } from '../../schemas/index.ts'
import { renderTable } from './table.ts'
import { duration, type Paint } from './text.ts'

/** One line per role, rule and resource, the most frequent first. */
export function refusalGroups(refusals: readonly Refusal[], paint: Paint): string {
  const groups = Map.groupBy(refusals, ({ role, rule, resource = '' }) => JSON.stringify([role, rule, resource]))
  const rows = [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .flatMap((group) => {
      const [first] = group
      return first ? [[String(group.length), first.role, first.rule, first.resource ?? '']] : []
    })
  return renderTable(
    [{ title: 'DATACENTERS', right: true }, { title: 'AS' }, { title: 'REFUSED FOR' }, { title: 'RESOURCE' }],
    rows,
    paint,
  )
}

/** One line per refusal, by datacenter. */
export function refusalsPerDatacenter(refusals: readonly Refusal[], paint: Paint): string {
  const rows = [...refusals]
    .sort((a, b) => a.datacenter.localeCompare(b.datacenter) || a.role.localeCompare(b.role))
    .map(({ datacenter, role, message, ageSeconds }) => [
      datacenter,
      role,
      message,
      ageSeconds === undefined ? '' : duration(ageSeconds),
    ])
  return renderTable(
    [{ title: 'DATACENTER' }, { title: 'AS' }, { title: 'WHY' }, { title: 'FIGURES ARE' }],
    rows,
    paint,
  )
}
