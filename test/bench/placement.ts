/** How long one decision of the engine takes, without HTTP or store, and what a placed hosting costs in memory. */
import { pathToFileURL } from 'node:url'
import {
  applyPlacement,
  createWorld,
  explain,
  overcommit,
  schedule,
  type World,
} from '../../services/placement/index.ts'
import { seededRandom } from '../../services/shared/random.ts'
import { federation, now, request, seated } from './federation.ts'

export interface EngineFigures {
  readonly datacenters: number
  readonly nodes: number
  readonly fallback: 'none' | 'cold'
  /** Share of the capacity that was taken before. */
  readonly load: number
  readonly placed: number
  readonly refused: number
  /** Of `schedule` alone, of what was placed, microseconds. */
  readonly p50us: number
  readonly p99us: number
  /** Of further requests: those that it accepts to those that a look at all datacenters accepts. */
  readonly acceptedRatioToScan: number
  /** Of `applyPlacement`, microseconds. */
  readonly applyP50us: number
  /** Growth of the heap per hosting placed; needs `node --expose-gc`. */
  readonly bytesPerHosting: number | null
  /** Found by the checker afterwards in up to 400 datacenters; anything but 0 makes the figures worthless. */
  readonly violations: number | null
}

/** A look at ten thousand datacenters takes a while. */
const furtherRequests = 100

const sizes = [
  { datacenters: 40, nodesEach: 50 },
  { datacenters: 400, nodesEach: 50 },
  { datacenters: 10_000, nodesEach: 100 },
]

/** All sizes up to `largest` datacenters, with and without fallback, at 30, 60 and 90 % load, `decisions` each. */
export function benchEngine(decisions = 10_000, largest = Number.POSITIVE_INFINITY): EngineFigures[] {
  const wanted = sizes.filter(({ datacenters }) => datacenters <= largest)
  return wanted.flatMap((size) =>
    [0.3, 0.6, 0.9].flatMap((load) =>
      (['none', 'cold'] as const).map((fallback) => {
        const count = size.datacenters > 128 ? decisions : Math.ceil(decisions / 5)
        return measure(size.datacenters, size.nodesEach, load, fallback, count)
      }),
    ),
  )
}

function measure(
  datacenters: number,
  nodesEach: number,
  load: number,
  fallback: 'none' | 'cold',
  decisions: number,
): EngineFigures {
  const random = seededRandom(7).next
  const world = createWorld({ datacenters: federation({ datacenters, nodesEach, load }, random), hostings: [] }, now)
  run(world, fallback, Math.ceil(decisions / 4), 0, random)
  const before = heap()
  const { times, applies, refused } = run(world, fallback, decisions, decisions, random)
  const grown = before === null ? null : ((heap() ?? 0) - before) / Math.max(1, times.length)
  return {
    datacenters,
    nodes: datacenters * nodesEach,
    fallback,
    load,
    placed: times.length,
    refused,
    p50us: at(times, 0.5),
    p99us: at(times, 0.99),
    acceptedRatioToScan: acceptedRatioToScan(world, fallback, 2 * decisions, random),
    applyP50us: at(applies, 0.5),
    bytesPerHosting: grown === null ? null : Math.round(grown),
    violations: datacenters <= 400 ? overcommit(world, now).length : null,
  }
}

function run(world: World, fallback: 'none' | 'cold', count: number, firstSerial: number, random: () => number) {
  const times: number[] = []
  const applies: number[] = []
  let refused = 0
  for (let i = 0; i < count; i++) {
    const demand = request(firstSerial + i, { fallback, mostCores: 4, constrained: true }, random)
    const started = process.hrtime.bigint()
    const decision = schedule(world, demand, now)
    const decided = process.hrtime.bigint()
    if (decision.outcome !== 'placed') {
      refused++
      continue
    }
    times.push(Number(decided - started) / 1000)
    const placed = seated(demand, decision.chosen)
    const before = process.hrtime.bigint()
    applyPlacement(world, placed)
    applies.push(Number(process.hrtime.bigint() - before) / 1000)
  }
  return { times: times.sort((a, b) => a - b), applies: applies.sort((a, b) => a - b), refused }
}

/** Nothing is placed in between, so that both answer for one picture. */
function acceptedRatioToScan(
  world: World,
  fallback: 'none' | 'cold',
  firstSerial: number,
  random: () => number,
): number {
  let [ours, scans] = [0, 0]
  for (let i = 0; i < furtherRequests; i++) {
    const demand = request(firstSerial + i, { fallback, mostCores: 16, constrained: true }, random)
    if (schedule(world, demand, now).outcome === 'placed') ours++
    if (explain(world, demand, now).outcome === 'placed') scans++
  }
  return scans === 0 ? 1 : Math.round((1000 * ours) / scans) / 1000
}

function heap(): number | null {
  if (!globalThis.gc) return null
  globalThis.gc()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(10 * (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)) / 10
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(benchEngine())
