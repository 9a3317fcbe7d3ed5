/**
 * The next step of a move, from what stands alone: the new place is made before the old one is left, and who is to take over
 * has room in full before it is told to. Pure.
 */

export interface Place {
  readonly placementId: string
  readonly datacenterId: string
  /** It stands in its cluster, and has what it is to have of the hosting. */
  readonly ready: boolean
  /** What is claimed there counts in full, and not only when a failure domain is lost. */
  readonly full: boolean
}

export interface Stands {
  readonly primary: Place | null
  readonly standby: Place | null
  /** Is to become the standby. */
  readonly coming: Place | null
  /** Where something of it is left, or may be. */
  readonly leaving: readonly string[]
}

export interface Target {
  readonly primary: string
  readonly standby: string | null
}

export type Next =
  | { readonly do: 'wait' }
  | { readonly do: 'claim'; readonly at: string; readonly full: boolean }
  | { readonly do: 'fill' | 'relax' | 'drop' | 'swap' | 'hand-over' | 'done' }

const wait: Next = { do: 'wait' }

export function nextOf({ primary, standby, coming, leaving }: Stands, target: Target): Next {
  if (!primary) return wait
  const stays = primary.datacenterId === target.primary
  const wanted = stays ? target.standby : target.primary
  if (standby?.datacenterId === wanted || wanted === null) {
    if (coming) return { do: 'drop' }
    if (stays) return standby?.full ? { do: 'relax' } : { do: 'done' }
    if (!standby?.full) return { do: 'fill' }
    return standby.ready ? { do: 'hand-over' } : wait
  }
  if (coming && coming.datacenterId !== wanted) return { do: 'drop' }
  if (coming) return coming.ready ? { do: 'swap' } : wait
  // At one site there is one placement: what is left of an earlier one goes first.
  if (leaving.includes(wanted)) return wait
  return { do: 'claim', at: wanted, full: !stays }
}
