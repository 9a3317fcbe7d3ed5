/** All that tells how good placement is, as one object of figures: for bars, and for docs/benchmarks.md. */
import { benchEndToEnd, type EndToEnd } from './end-to-end.ts'
import { benchOpenb, type OpenbFigures, openbSeeds } from './openb.ts'
import { benchEngine, type EngineFigures } from './placement.ts'
import { benchFill, benchReserve, type FillFigures, type ReserveFigures } from './quality.ts'
import { benchRoadef, type RoadefFigures } from './roadef.ts'

/** Of the federation that each policy fills. */
const fillSize = 160

export interface Extent {
  /** Decisions of the engine for each size and load, and the largest of the federations. */
  readonly decisions: number
  readonly largest: number
  /** Of the GPU trace: lists, and orders of arrival for each. */
  readonly lists: readonly string[]
  readonly seeds: number
  /** Of ROADEF 2012: instances, and processor time for each. */
  readonly instances: readonly string[]
  readonly instanceSeconds: number
  /** Of requests from end to end, for each number of clients. */
  readonly seconds: number
}

export interface Overview {
  readonly engine: readonly Pick<
    EngineFigures,
    'datacenters' | 'nodes' | 'fallback' | 'load' | 'p50us' | 'p99us' | 'acceptedRatioToScan' | 'bytesPerHosting'
  >[]
  /** By list; null when the trace is not beside the checkout. */
  readonly openb: Readonly<Record<string, Pick<OpenbFigures, 'gpuAllocation' | 'fgd'>>> | null
  /** By instance; null when they are not beside the checkout. */
  readonly roadef: Readonly<Record<string, Pick<RoadefFigures, 'cost' | 'best' | 'gapPercent' | 'seconds'>>> | null
  readonly reserve: Pick<ReserveFigures, 'held' | 'lowerBound' | 'dedicated'>
  /** How full each policy fills one federation; `gemeentecloud` is ours and `scan` the same with a look at all. */
  readonly baselines: Readonly<Record<string, Omit<FillFigures, 'policy'>>>
  /** With the most clients. */
  readonly endToEnd: Pick<EndToEnd, 'perSecond' | 'storeCommitsPerSecond'>
}

/** Throws when a check finds anything overcommitted or broken: the figures would be worthless. */
export async function benchOverview(extent: Extent): Promise<Overview> {
  const engine = benchEngine(extent.decisions, extent.largest)
  const openb = benchOpenb(extent.lists, openbSeeds(extent.seeds))
  const roadef = benchRoadef(extent.instanceSeconds, extent.instances)
  const sound =
    engine.every(({ violations }) => !violations) &&
    (openb ?? []).every(({ overcommitted }) => overcommitted === 0) &&
    (roadef ?? []).every(({ checked }) => checked)
  if (!sound) throw new Error('a check found something overcommitted or broken')
  const { held, lowerBound, dedicated } = benchReserve()
  const filled = benchFill(Math.min(fillSize, extent.largest))
  const { perSecond, storeCommitsPerSecond } = (await benchEndToEnd(extent.seconds)).at(-1) as EndToEnd
  return {
    engine: engine.map(({ placed, refused, applyP50us, violations, ...figures }) => figures),
    openb: byName(openb, ({ list, gpuAllocation, fgd }) => [list, { gpuAllocation, fgd }]),
    roadef: byName(roadef, ({ instance, cost, best, gapPercent, seconds }) => [
      instance,
      { cost, best, gapPercent, seconds },
    ]),
    reserve: { held, lowerBound, dedicated },
    baselines: byName(filled, ({ policy, ...figures }) => [policy, figures]),
    endToEnd: { perSecond, storeCommitsPerSecond },
  }
}

function byName<T, F>(list: readonly T[], entry: (each: T) => [string, F]): Record<string, F>
function byName<T, F>(list: readonly T[] | undefined, entry: (each: T) => [string, F]): Record<string, F> | null
function byName<T, F>(list: readonly T[] | undefined, entry: (each: T) => [string, F]): Record<string, F> | null {
  return list === undefined ? null : Object.fromEntries(list.map(entry))
}
