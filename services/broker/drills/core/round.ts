/**
 * Whose turn it is in a drill of a datacenter, and what becomes of who cannot begin. Whoever has to wait is tried again each time
 * one ends; when none is under way any more nothing of the drill is in the way, and who still cannot begin is not drilled. Pure.
 */
import { isUnderWay, isWaiting, type Part, tallyOf } from './parts.ts'

/** What is to be written of a part. With `why` it is not drilled. */
export interface Mark {
  readonly hostingId: string
  readonly tried: number
  readonly why: string | null
}

export interface Round {
  /** Undefined when there is nobody more to try in this round. */
  next(): Part | undefined
  /** Of the one that was given last. */
  began(): void
  /** `isShort`: there was no room for it. */
  hindered(why: string, isShort: boolean): void
  marks(): Mark[]
}

/** In the order of the parts, so many under way at once as `atOnce`. */
export function createRound(parts: readonly Part[], atOnce: number): Round {
  const { over } = tallyOf(parts)
  const waiting = parts.filter(isWaiting)
  const busy = parts.filter(isUnderWay).map(({ standbyId }) => standbyId)
  const short = new Set<string | null>()
  const marks: Mark[] = []
  const refused: Mark[] = []
  let last: Part | undefined
  return {
    next() {
      last = undefined
      while (last === undefined && waiting.length > 0 && busy.length < atOnce) {
        const part = waiting.shift()
        // Nothing has ended since it was tried.
        if (part === undefined || (part.tried === over && busy.length > 0)) continue
        // Who comes before it waits for room there.
        if (short.has(part.standbyId)) marks.push({ hostingId: part.hostingId, tried: over, why: null })
        else last = part
      }
      return last
    },
    began() {
      if (last) busy.push(last.standbyId)
    },
    hindered(why, isShort) {
      if (!last) return
      const { hostingId, standbyId } = last
      if (isShort && !busy.includes(standbyId)) {
        // It does not fit even with nothing of this drill beside it.
        marks.push({ hostingId, tried: over, why })
        return
      }
      if (isShort) short.add(standbyId)
      refused.push({ hostingId, tried: over, why })
    },
    marks() {
      const isStill = busy.length === 0
      return [...marks, ...refused.map((mark) => (isStill ? mark : { ...mark, why: null }))]
    },
  }
}
