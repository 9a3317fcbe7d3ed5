/** The one summary of a hosting, from what is wanted, scheduled and observed; computed, never stored. */
import type { FallbackStatus, HostingState, Observed } from '../../../../schemas/index.ts'

export interface Truth {
  readonly wanted: 'running' | 'ending' | 'ended'
  readonly scheduling: 'pending' | 'placed' | 'unschedulable'
  readonly fallbackMode: 'none' | 'cold'
  /** The engine has found that what was promised is not kept. */
  readonly broken: boolean
  readonly placements: readonly {
    readonly role: 'primary' | 'standby'
    readonly observed: Observed
    readonly reachable: boolean
  }[]
}

export function stateOf({ wanted, scheduling, placements }: Truth): HostingState {
  if (wanted !== 'running') return wanted
  if (scheduling !== 'placed') return scheduling
  const primary = placements.find((p) => p.role === 'primary')
  if (primary?.observed === 'ready') return primary.reachable ? 'running' : 'degraded'
  return primary?.observed === 'conflict' || primary?.observed === 'unknown' ? 'degraded' : 'provisioning'
}

/** `ready` needs a standby that stands there and answers; a reserve is held for every standby that is placed. */
export function fallbackStatusOf({ wanted, scheduling, fallbackMode, broken, placements }: Truth): FallbackStatus {
  if (fallbackMode === 'none' || wanted === 'ended') return 'none'
  const standby = placements.find((p) => p.role === 'standby')
  if (scheduling !== 'placed' || broken || !standby || standby.observed === 'conflict') return 'unprotected'
  return standby.observed === 'ready' && standby.reachable ? 'ready' : 'degraded'
}
