/** Seats for replicas that have lost their node, before anyone new: so that their room is not given away. */
import type { RequestComponent } from './demand.ts'
import type { Displaced } from './lost.ts'
import type { Period } from './model.ts'
import type { Nodes } from './nodes.ts'
import { type Ground, type Seats, searchSeats } from './search.ts'
import type { Site } from './snapshot.ts'

/** The schedulable nodes as a decision looks at them: one bin a row, one column a resource. */
export interface Stage extends Ground {
  readonly nodes: Nodes
  /** Row of the bin among the nodes. */
  readonly rows: Int32Array
  readonly columns: readonly { readonly resource: string }[]
}

/** Replicas of one hosting that are alike, and what they keep away from: bins, or zones. */
interface Lost extends RequestComponent {
  readonly closed: ReadonlySet<number>
}

const none: readonly Displaced[] = []

/** Those of another time have no say: not in what fits, and not in which node fits best. */
export function displacedDuring({ displaced }: Site, { start, end }: Period): readonly Displaced[] {
  return displaced.length === 0 ? none : displaced.filter(({ period }) => period.start < end && start < period.end)
}

/** Takes their room from `left`; returns how many find none, as far from their like as they must be. */
export function seatDisplaced(displaced: readonly Displaced[], stage: Stage): number {
  const all = [...Map.groupBy(displaced, (d) => `${d.hostingId} ${d.role} ${d.component}`)].map(([name, like]) =>
    lostOf(name, like, stage),
  )
  const greedy = new Map(all.map((lost) => [lost.name, seatsOf(lost, stage)]))
  const seated = [...greedy.values()].reduce((sum, seats) => sum + countOf(seats), 0)
  const stray = all.reduce((sum, { replicas }) => sum + replicas, 0) - seated
  if (stray === 0) return 0
  for (const lost of all) takeAll(lost, greedy.get(lost.name), stage, 1)
  const closed = new Map(all.map((lost) => [lost.name, lost.closed]))
  const found = searchSeats(all, stage, ({ name }) => closed.get(name))
  for (const lost of all) takeAll(lost, (found ?? greedy).get(lost.name), stage, -1)
  return found ? 0 : stray
}

function lostOf(name: string, like: readonly Displaced[], { nodes, rows, count, columns }: Stage): Lost {
  const [one] = like
  const apart = one?.apart
  const left = like.flatMap(({ tooMany }) => (tooMany?.all ? [tooMany.row] : []))
  const held = (one?.held ?? []).filter((row) => !left.includes(row))
  const closed =
    apart === 'zone'
      ? [-1, ...held.map((row) => nodes.zones[row] ?? -1)]
      : apart === 'node'
        ? held.map((row) => rows.subarray(0, count).indexOf(row))
        : []
  return {
    name,
    replicas: replicasOf(like),
    onePerNode: apart === 'node',
    onePerZone: apart === 'zone',
    takes: columns.map(({ resource }) => one?.perReplica.find((entry) => entry.resource === resource)?.amount ?? 0),
    closed: new Set(closed),
  }
}

/** Those of a node that is too small are told once for each time at which there are too many of them: the most count. */
function replicasOf(like: readonly Displaced[]): number {
  const most = new Map<Displaced | number, number>()
  for (const one of like) {
    const of = one.tooMany?.row ?? one
    most.set(of, Math.max(one.replicas, most.get(of) ?? 0))
  }
  return [...most.values()].reduce((sum, replicas) => sum + replicas, 0)
}

/** Each on the first that will do, as many as find one. */
function seatsOf(lost: Lost, stage: Stage): Seats {
  const { count, width, left, zones } = stage
  const closed = new Set(lost.closed)
  const seats: Seats = new Map()
  for (let bin = 0, seated = 0; bin < count && seated < lost.replicas; ) {
    const place = lost.onePerZone ? (zones[bin] ?? -1) : bin
    const open =
      !closed.has(place) && lost.takes.every((amount, k) => amount === 0 || amount <= (left[bin * width + k] ?? 0))
    if (open) {
      takeAll(lost, new Map([[bin, 1]]), stage, -1)
      seats.set(bin, (seats.get(bin) ?? 0) + 1)
      seated++
      if (lost.onePerNode || lost.onePerZone) closed.add(place)
    } else bin++
  }
  return seats
}

function takeAll({ takes }: Lost, seats: Seats | undefined, { width, left }: Stage, sign: 1 | -1): void {
  for (const [bin, replicas] of seats ?? [])
    for (const [k, amount] of takes.entries())
      left[bin * width + k] = (left[bin * width + k] ?? 0) + sign * replicas * amount
}

function countOf(seats: Seats): number {
  let count = 0
  for (const replicas of seats.values()) count += replicas
  return count
}
