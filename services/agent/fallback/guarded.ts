/** Which hostings of a cluster are the guards' business, from what stands on their namespaces and in the record. */
import { isLater, noEpoch, type Site } from '../../fallback/index.ts'
import type { Namespaces, Space } from '../namespaces.ts'
import type { GuardedSpace } from './guard-wire.ts'
import type { Keeper } from './keeper.ts'

type Spaces = ReturnType<Namespaces['spaces']>

/**
 * Those of which something may run that was started here by an epoch: what was once awake counts until it has been seen to be
 * at rest. A standby that never had one is bounded by the desk's quota alone.
 */
export function hostingsStanding(spaces: Spaces, keeper: Pick<Keeper, 'standing' | 'isAtRest'>): Set<string> {
  const standing = new Set(keeper.standing())
  for (const { hosting, activeEpoch, activity } of spaces.values()) {
    if (activeEpoch !== undefined && activity !== 'shared' && !keeper.isAtRest(hosting)) standing.add(hosting)
  }
  return standing
}

/** The namespaces whose containers need a grant, for the guards of the nodes. */
export function guardedSpaces(spaces: Spaces, records: Site['records']): GuardedSpace[] {
  return [...spaces].flatMap(([namespace, space]) => {
    const activity = classOf(space, records)
    return activity ? [{ namespace, hosting: space.hosting, activity }] : []
  })
}

function classOf(
  { hosting, activity, role, activeEpoch }: Space,
  records: Site['records'],
): GuardedSpace['activity'] | undefined {
  if (activity === 'shared') return undefined
  const record = records.get(hosting)
  const wasOurs = record && (isLater(record.accepted, noEpoch) || isLater(record.ended, noEpoch))
  if (wasOurs) return record.activity
  const isLabelled = activity === 'exclusive' || activity === 'pinned'
  return isLabelled && (activeEpoch !== undefined || (role !== undefined && role !== 'standby')) ? activity : undefined
}
