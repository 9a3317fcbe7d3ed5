/** Rows of systems and hostings as the contract shows them. */
import type { Hosting, HostingChange, MirrorState, Placement, System } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { fallbackOf, stateOf, type Truth } from '../../shared/hosting-state.ts'
import type { StoredChange } from './core/change.ts'
import type { HostingRow, MirrorRow, PlacementRow, SystemRow } from './store.ts'

const stamps = (row: { created_at: Date; updated_at: Date }) => ({
  createdAt: rfc3339(row.created_at.getTime()),
  updatedAt: rfc3339(row.updated_at.getTime()),
})

export function systemView(row: SystemRow): System {
  return { id: row.id, ownerId: row.party_id, slug: row.slug, name: row.name, ...row.spec, ...stamps(row) }
}

export function hostingView(row: HostingRow): Hosting {
  const truth = truthOf({ ...row, broken: row.broken !== null }, row.spec.fallback.mode)
  const { status, reasons } = fallbackOf(truth)
  return {
    id: row.id,
    ownerId: row.party_id,
    name: row.name,
    systemId: row.system_id,
    ...row.spec,
    period: { start: rfc3339(row.starts_ms), end: row.ends_ms === null ? null : rfc3339(row.ends_ms) },
    state: stateOf(truth),
    fallbackStatus: status,
    fallbackReasons: reasons,
    brokenPromise: row.broken,
    placements: row.placements.map(placementView),
    change: row.change && changeView(row.change),
    decision: row.decision,
    priceCentsPerMonth: row.price_cents_per_month,
    ...stamps(row),
  }
}

function changeView({ state, wanted, requestedAt, decision, elsewhere }: StoredChange): HostingChange {
  return { state, wanted, requestedAt, decision, elsewhere }
}

/** What the summary is derived from. */
export function truthOf(
  {
    wanted,
    scheduling,
    broken,
    placements,
    operation,
    drillOverdue,
  }: Pick<HostingRow, 'wanted' | 'scheduling' | 'operation' | 'drillOverdue'> & {
    readonly broken: boolean
    readonly placements: readonly Pick<PlacementRow, 'role' | 'observed' | 'contact' | 'troubles'>[]
  },
  fallbackMode: Truth['fallbackMode'],
): Truth {
  const seen = placements.map(({ role, observed, contact, troubles }) => ({
    role,
    observed,
    reachable: contact === 'reachable',
    troubles: troubles ?? [],
  }))
  return { wanted, scheduling, fallbackMode, broken, placements: seen, drillOverdue, operation: operation ?? undefined }
}

function placementView({ contact: _, troubles: __, observedAtMs, mirror, ...placement }: PlacementRow): Placement {
  return { ...placement, observedAt: instant(observedAtMs), ...(mirror && { mirror: mirrorView(mirror) }) }
}

function mirrorView({ syncedAtMs, behindSinceMs, data, ...told }: MirrorRow): MirrorState {
  const states = data.map(({ goodAtMs, ...state }) => ({ ...state, goodAt: instant(goodAtMs) }))
  return { ...told, syncedAt: instant(syncedAtMs), behindSince: instant(behindSinceMs), data: states }
}

const instant = (ms: number | null) => (ms === null ? null : rfc3339(ms))
