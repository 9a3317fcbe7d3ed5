/** The one summary of a hosting, from what is wanted, scheduled and observed; computed, never stored. */
import type { FallbackStatus, HostingState, Observed } from '../../schemas/index.ts'

/** In trouble is what tells of a problem; behind and too old is what has not come within the time that was agreed. */
export type CopyTrouble = 'mirror-in-trouble' | 'mirror-behind' | 'data-in-trouble' | 'data-undeclared' | 'data-too-old'

export interface Truth {
  readonly wanted: 'running' | 'ending' | 'ended'
  /** `awaiting`: its old placements are to go first, or those of others for it. */
  readonly scheduling: 'pending' | 'awaiting' | 'placed' | 'unschedulable'
  readonly fallbackMode: 'none' | 'cold' | 'warm' | 'hot'
  /** The engine has found that what was promised is not kept. */
  readonly broken: boolean
  readonly placements: readonly {
    readonly role: 'primary' | 'standby' | 'former' | 'coming'
    readonly observed: Observed
    readonly reachable: boolean
    /** What ails the copy there. */
    readonly troubles?: readonly CopyTrouble[]
  }[]
  /** A drill plan of it says how often one has to be passed, and none was for longer. */
  readonly drillOverdue?: boolean
  /** The last that took it elsewhere, or does. */
  readonly operation?: { readonly kind: string; readonly isOver: boolean } | undefined
}

export function stateOf({ wanted, scheduling, placements }: Truth): HostingState {
  if (wanted !== 'running') return wanted
  if (scheduling === 'awaiting') return 'pending'
  if (scheduling !== 'placed') return scheduling
  const primary = placements.find((p) => p.role === 'primary')
  if (primary?.observed === 'ready') return primary.reachable ? 'running' : 'degraded'
  return primary?.observed === 'conflict' || primary?.observed === 'unknown' ? 'degraded' : 'provisioning'
}

/** Why a hosting is not as well protected as was asked. */
export type FallbackReason =
  | 'not-placed'
  | 'promise-broken'
  | 'no-standby'
  | 'standby-in-conflict'
  | 'standby-not-ready'
  | 'standby-does-not-answer'
  | CopyTrouble
  | 'drill-overdue'

const unprotected: readonly FallbackReason[] = ['not-placed', 'promise-broken', 'no-standby', 'standby-in-conflict']

/**
 * `ready` needs a standby that stands there and answers, with a copy that is recent enough; a reserve is held for every
 * standby that is placed. While it is on
 * its way, and after a failover until it is brought back, that is what it is; the reasons say how it is protected there.
 */
export function fallbackOf(truth: Truth): { readonly status: FallbackStatus; readonly reasons: FallbackReason[] } {
  if (truth.fallbackMode === 'none' || truth.wanted === 'ended') return { status: 'none', reasons: [] }
  const reasons = reasonsOf(truth)
  const { kind, isOver } = truth.operation ?? {}
  if (kind !== undefined && !isOver) return { status: kind === 'failback' ? 'failing-back' : 'failing-over', reasons }
  if (kind === 'failover') return { status: 'failed-over', reasons }
  if (reasons.some((reason) => unprotected.includes(reason))) return { status: 'unprotected', reasons }
  return { status: reasons.length > 0 ? 'degraded' : 'ready', reasons }
}

export const fallbackStatusOf = (truth: Truth): FallbackStatus => fallbackOf(truth).status

function reasonsOf({ scheduling, broken, placements, drillOverdue }: Truth): FallbackReason[] {
  if (scheduling !== 'placed') return ['not-placed']
  const standby = placements.find((p) => p.role === 'standby')
  const reasons: FallbackReason[] = broken ? ['promise-broken'] : []
  if (!standby) return [...reasons, 'no-standby']
  if (standby.observed === 'conflict') reasons.push('standby-in-conflict')
  else if (!standby.reachable) reasons.push('standby-does-not-answer')
  else if (standby.observed !== 'ready') reasons.push('standby-not-ready')
  // Of a primary that does not answer nothing can be copied: that is no fault of the copy, which grows old all the same.
  const isSeen = placements.some(({ role, reachable }) => role === 'primary' && reachable)
  reasons.push(...(standby.troubles ?? []).filter((trouble) => isSeen || !trouble.endsWith('in-trouble')))
  if (drillOverdue) reasons.push('drill-overdue')
  return reasons
}
