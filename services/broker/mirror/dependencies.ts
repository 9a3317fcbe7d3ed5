/** What the mirror of one hosting needs of the world. */
import type { Kit } from '../../shared/kit.ts'
import type { MirrorMetrics } from './metrics.ts'
import type { PairRow, Report } from './store.ts'

export interface PairTiming {
  /** Between two full looks at the other site; each is up to half longer. */
  readonly lookMs: number
  /** Between two lists of a kind, where there are too many hostings for watches. */
  readonly listMs: number
  /** Between two looks at what copies the data. */
  readonly dataMs: number
}

export const defaultPairTiming: PairTiming = { lookMs: 300_000, listMs: 30_000, dataMs: 30_000 }

export interface PairDependencies {
  readonly kit: Kit
  readonly timing: PairTiming
  readonly metrics: MirrorMetrics
  /** Whether the sites of the hosting are still those of the row, as the store has it; rejects with `Deposed`. */
  readonly confirm: (row: PairRow) => Promise<boolean>
  readonly report: (report: Report) => void
}
