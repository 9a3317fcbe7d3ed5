/** What a drill of a whole datacenter is made of: a drill of each hosting there that it can say something of. Pure. */
import type { DrillKind, DrillPart, DrillState } from '../../../../schemas/index.ts'
import { isOver } from './course.ts'
import { type Standing, unfitOf } from './refusal.ts'

/** A hosting that runs there, as it goes by in the drill. */
export interface Part {
  readonly hostingId: string
  readonly hosting: string
  /** A drill of this kind can say something of it. */
  readonly fits: boolean
  /** It is not drilled, for good. */
  readonly why: string | null
  /** How many others were over when it was last tried, and had to wait. */
  readonly tried: number | null
  readonly drillId: string | null
  readonly state: DrillState | null
  /** Where it falls back to; where its drill is, once that has begun. */
  readonly standbyId: string | null
}

/** As it is written down when the drill begins. */
export function partOf(
  {
    id,
    name,
    ...standing
  }: Pick<Standing, 'mode' | 'data' | 'activity'> & { readonly id: string; readonly name: string },
  kind: DrillKind,
): Pick<Part, 'hostingId' | 'hosting' | 'fits' | 'why'> {
  const why = unfitOf(standing, kind)
  return { hostingId: id, hosting: name, fits: why === undefined, why: why?.en ?? null }
}

export const isWaiting = ({ why, drillId }: Part): boolean => why === null && drillId === null
export const isUnderWay = ({ state }: Part): boolean => state !== null && !isOver(state)
const isDrilled = ({ state }: Part): boolean => state !== null && isOver(state)

export interface Tally {
  readonly over: number
  readonly underWay: number
  readonly waiting: number
}

export const tallyOf = (parts: readonly Part[]): Tally => ({
  over: parts.filter(isDrilled).length,
  underWay: parts.filter(isUnderWay).length,
  waiting: parts.filter(isWaiting).length,
})

export function partState({ state, fits, why }: Part): DrillPart['state'] {
  if (!fits) return 'left-out'
  return state ?? (why === null ? 'waiting' : 'not-drilled')
}
