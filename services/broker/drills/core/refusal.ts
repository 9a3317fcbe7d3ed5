/** Why a drill of a hosting cannot be held now. Pure. */
import type { DrillKind } from '../../../../schemas/index.ts'

export interface Seat {
  readonly id: string
  readonly slug: string
  readonly contact: string
}

/** A hosting as it stands, as far as a drill depends on it. */
export interface Standing {
  readonly wanted: string
  readonly mode: string
  readonly activity: string
  readonly primary: Seat | undefined
  readonly standby: Seat | undefined
  /** The engine has found that what was promised is not kept. */
  readonly broken: boolean
  /** Ids of what is not over: of the hosting itself, and of others that go from or to one of its sites. */
  readonly operation: string | undefined
  readonly besides: string | undefined
  readonly drill: string | undefined
  /** What holds its data, which nothing brings into a shadow. */
  readonly data: readonly string[]
  /** Live drills are held at set times, and it is none of them. */
  readonly outsideWindow: boolean
}

/** `target`: where it is asked to come up; where it falls back to when undefined. */
export function refusalOf(standing: Standing, kind: DrillKind, target: string | undefined): string | undefined {
  const { primary, standby } = standing
  if (standing.wanted !== 'running') return `it is ${standing.wanted}`
  if (standing.mode === 'none') return 'it has no fallback'
  if (!primary) return 'it has not been placed'
  if (target === primary.id) return `it runs at ${primary.slug}: a drill is held where it falls back to`
  if (!standby) return 'it has no standby: what would be tried does not exist'
  if (target !== undefined && target !== standby.id) return `it does not fall back there but to ${standby.slug}`
  if (standing.drill !== undefined) return `drill ${standing.drill} of it is not over yet`
  if (kind === 'plan') return undefined
  if (standing.operation !== undefined) return `operation ${standing.operation} of it is not over yet`
  if (standing.besides !== undefined) return `operation ${standing.besides} is under way at one of its datacenters`
  if (standing.broken) return 'what was promised to it is not kept just now, so nothing is spared for a drill'
  const silent = [primary, standby].find(({ contact }) => contact !== 'reachable')
  if (silent) return `${silent.slug} is ${silent.contact}`
  const unfit = unfitOf(standing, kind)
  if (unfit !== undefined) return unfit
  const isOutside = kind === 'live' && standing.outsideWindow
  return isOutside ? 'live drills of it have a window, and it is not open now' : undefined
}

/** Why no drill of this kind says anything of the hosting, whenever it is held. */
export function unfitOf(
  { mode, data, activity }: Pick<Standing, 'mode' | 'data' | 'activity'>,
  kind: DrillKind,
): string | undefined {
  if (mode === 'none') return 'it has no fallback'
  if (kind === 'shadow' && data.length > 0)
    return `its data (${data.join(', ')}) is not brought into a shadow, without which it would not start: hold a live drill`
  if (kind === 'live' && activity === 'shared') return 'it may be active in several places, so nothing is handed over'
  return undefined
}
