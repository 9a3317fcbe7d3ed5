/** Rows of systems and hostings as the contract shows them. */
import type { Hosting, Placement, System } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { fallbackStatusOf, stateOf, type Truth } from './core/summary.ts'
import type { HostingRow, PlacementRow, SystemRow } from './store.ts'

const stamps = (row: { created_at: Date; updated_at: Date }) => ({
  createdAt: rfc3339(row.created_at.getTime()),
  updatedAt: rfc3339(row.updated_at.getTime()),
})

export function systemView(row: SystemRow): System {
  return { id: row.id, ownerId: row.party_id, slug: row.slug, name: row.name, ...row.spec, ...stamps(row) }
}

export function hostingView(row: HostingRow): Hosting {
  const truth = truthOf({ ...row, broken: row.broken !== null }, row.spec.fallback.mode)
  return {
    id: row.id,
    ownerId: row.party_id,
    name: row.name,
    systemId: row.system_id,
    ...row.spec,
    period: { start: rfc3339(row.starts_ms), end: row.ends_ms === null ? null : rfc3339(row.ends_ms) },
    state: stateOf(truth),
    fallbackStatus: fallbackStatusOf(truth),
    brokenPromise: row.broken,
    placements: row.placements.map(placementView),
    decision: row.decision,
    priceCentsPerMonth: row.price_cents_per_month,
    ...stamps(row),
  }
}

/** What the summary is derived from. */
export function truthOf(
  {
    wanted,
    scheduling,
    broken,
    placements,
  }: Pick<HostingRow, 'wanted' | 'scheduling'> & {
    readonly broken: boolean
    readonly placements: readonly Pick<PlacementRow, 'role' | 'observed' | 'contact'>[]
  },
  fallbackMode: Truth['fallbackMode'],
): Truth {
  const seen = placements.map(({ role, observed, contact }) => ({ role, observed, reachable: contact === 'reachable' }))
  return { wanted, scheduling, fallbackMode, broken, placements: seen }
}

function placementView({ contact: _, observedAtMs, ...placement }: PlacementRow): Placement {
  return { ...placement, observedAt: observedAtMs === null ? null : rfc3339(observedAtMs) }
}
