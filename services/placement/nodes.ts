/** The nodes of one datacenter as columns: what a decision reads of them lies side by side. */
import { type Ahead, type Booking, type book, createLedger, type Ledger, unbook } from './calendar.ts'
import type { NodeState, StorageClassState } from './model.ts'
import { type Entry, isPooled, type Resources, vectorOf } from './resources.ts'

/** Rows are nodes by name, columns resources by index; a resource beyond `width` is on none of them. */
export interface Nodes {
  readonly names: readonly string[]
  readonly width: number
  readonly schedulable: Uint8Array
  /** Has devices that most hostings do not ask for. */
  readonly special: Uint8Array
  /** Storage that is taken from the nodes; all other storage is pooled, and the nodes have no say in it. */
  readonly localStorage: ReadonlySet<string>
  /** Number of the zone a node is in, -1 for none. */
  readonly zones: Int32Array
  /** As the inventory says. */
  readonly free: Float64Array
  /** `free` beside the most that primaries take from now on. */
  readonly beside: Float64Array
  /** `free` beside the most that primaries and reserve take together from now on. */
  readonly left: Float64Array
  /** What the columns do not tell: `timed` when not all is the same from now on, `shared` when there is a reserve. */
  readonly beyond: Uint8Array
  /** How many nodes are not schedulable, have devices, or are `timed`; and how many have a reserve. */
  odd: number
  reserving: number
  /** Rows on which more may come down than there is room for; see `crowded.ts`. */
  readonly overfull: Set<number>
  /** Made at the first booking. */
  readonly ledgers: (Ledger | undefined)[]
  /** Per resource the largest of `beside` and of `left` at any instant to come, among the schedulable: an upper bound. */
  readonly mostBeside: Float64Array
  readonly mostLeft: Float64Array
  /** How many nodes have that most, so that the others are looked through only when the last of them has less. */
  readonly countBeside: Int32Array
  readonly countLeft: Int32Array
}

/** Bits of `beyond`. */
export const timed = 1
export const shared = 2

export function createNodes(
  resources: Resources,
  states: readonly NodeState[],
  storageClasses: readonly StorageClassState[],
): Nodes {
  const sorted = [...states].sort((a, b) => (a.name < b.name ? -1 : 1))
  const vectors = sorted.map(({ free }) => vectorOf(resources, free, 0))
  const width = vectors.reduce((most, vector) => Math.max(most, vector.length), 0)
  const free = new Float64Array(sorted.length * width)
  for (const [row, vector] of vectors.entries()) free.set(vector, row * width)
  // What every decision reads comes first, so that it is on one line of the cache.
  const nodes: Nodes = {
    names: sorted.map(({ name }) => name),
    width,
    odd: sorted.filter((state) => !state.schedulable || isSpecial(state)).length,
    left: free.slice(),
    beside: free.slice(),
    reserving: 0,
    free,
    beyond: new Uint8Array(sorted.length),
    schedulable: Uint8Array.from(sorted, ({ schedulable }) => Number(schedulable)),
    special: Uint8Array.from(sorted, (state) => Number(isSpecial(state))),
    localStorage: new Set(storageClasses.filter((c) => c.nodeLocal).map(({ name }) => `storage/${name}`)),
    zones: zonesOf(sorted),
    overfull: new Set(),
    ledgers: new Array<Ledger | undefined>(sorted.length).fill(undefined),
    mostBeside: new Float64Array(width),
    mostLeft: new Float64Array(width),
    countBeside: new Int32Array(width),
    countLeft: new Int32Array(width),
  }
  for (let index = 0; index < width; index++) {
    findLargest(nodes, index, nodes.beside, nodes.mostBeside, nodes.countBeside)
    findLargest(nodes, index, nodes.left, nodes.mostLeft, nodes.countLeft)
  }
  return nodes
}

function zonesOf(states: readonly NodeState[]): Int32Array {
  const names = [...new Set(states.map(({ zone }) => zone))].filter((zone) => zone !== undefined)
  return Int32Array.from(states, ({ zone }) => (zone === undefined ? -1 : names.indexOf(zone)))
}

function isSpecial({ free }: NodeState): boolean {
  return Object.entries(free).some(([resource, amount]) => resource.includes('/') && !isPooled(resource) && amount > 0)
}

/** Whether nodes limit a resource here. */
export function isOnNodes({ localStorage }: Nodes, resource: string): boolean {
  return !isPooled(resource) || localStorage.has(resource)
}

/** The row of a node by name, -1 when there is none. */
export function rowOf({ names }: Nodes, name: string): number {
  let low = 0
  let high = names.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = names[middle] ?? ''
    if (found === name) return middle
    if (found < name) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Books on a node, or takes back, and keeps the columns true. */
export function changeNode(nodes: Nodes, row: number, change: typeof book | typeof unbook, booking: Booking): void {
  const ledger = nodes.ledgers[row] ?? createLedger()
  nodes.ledgers[row] = ledger
  change(ledger, booking)
  if (change === unbook && isEmpty(ledger)) nodes.ledgers[row] = undefined
  const timedBefore = isTimed(nodes, row)
  // What has begun is without start in a ledger and what is over without end, so its first segment looks over all of time ahead.
  const ahead = ledger.segments[0]?.ahead
  setBeyond(nodes, row, (ledger.segments.length > 1 ? timed : 0) | (ahead && ahead.reserve.length > 0 ? shared : 0))
  const told = { timedBefore, ahead }
  if (timedBefore === isTimed(nodes, row)) {
    for (const { index } of booking.need) if (index < nodes.width) tell(nodes, row, index, told)
  } else for (let index = 0; index < nodes.width; index++) tell(nodes, row, index, told)
  if (ahead && ahead.reserve.length > 0 && booking.need.some((entry) => isShort(nodes, row, entry)))
    nodes.overfull.add(row)
}

function isShort(nodes: Nodes, row: number, { index, resource }: Entry): boolean {
  const left = index < nodes.width ? (nodes.left[row * nodes.width + index] ?? 0) : -1
  return left < 0 && isOnNodes(nodes, resource)
}

function setBeyond(nodes: Nodes, row: number, bits: number): void {
  const before = nodes.beyond[row] ?? 0
  nodes.beyond[row] = bits
  nodes.reserving += ((bits & shared) - (before & shared)) / shared
  // One that is odd for another reason as well counts twice, which does no harm.
  nodes.odd += ((bits & timed) - (before & timed)) / timed
}

function tell(nodes: Nodes, row: number, index: number, { timedBefore, ahead }: Change): void {
  const cell = row * nodes.width + index
  const free = nodes.free[cell] ?? 0
  const before = { beside: nodes.beside[cell] ?? 0, left: nodes.left[cell] ?? 0 }
  nodes.beside[cell] = free - (ahead?.used[index] ?? 0)
  nodes.left[cell] = free - (ahead?.load[index] ?? 0)
  if (nodes.schedulable[row] === 0) return
  const [was, is] = [timedBefore, isTimed(nodes, row)]
  const beside = is ? free : (nodes.beside[cell] ?? 0)
  const left = is ? free : (nodes.left[cell] ?? 0)
  if (raiseOrLower(nodes.mostBeside, nodes.countBeside, index, was ? free : before.beside, beside))
    findLargest(nodes, index, nodes.beside, nodes.mostBeside, nodes.countBeside)
  if (raiseOrLower(nodes.mostLeft, nodes.countLeft, index, was ? free : before.left, left))
    findLargest(nodes, index, nodes.left, nodes.mostLeft, nodes.countLeft)
}

interface Change {
  readonly timedBefore: boolean
  readonly ahead: Ahead | undefined
}

/** Whether the most must be looked for: the last that had it has less now. */
function raiseOrLower(most: Float64Array, count: Int32Array, index: number, before: number, to: number): boolean {
  if (before === to) return false
  const largest = most[index] ?? 0
  if (to > largest) {
    most[index] = to
    count[index] = 1
    return false
  }
  if (to === largest) count[index] = (count[index] ?? 0) + 1
  if (before !== largest) return false
  count[index] = (count[index] ?? 0) - 1
  return (count[index] ?? 0) <= 0
}

/** The most that may be free at some instant: of what changes with time only the whole node is known. */
function reach(nodes: Nodes, row: number, index: number, column: Float64Array): number {
  return (isTimed(nodes, row) ? nodes.free : column)[row * nodes.width + index] ?? 0
}

function isTimed({ beyond }: Nodes, row: number): boolean {
  return ((beyond[row] ?? 0) & timed) !== 0
}

function findLargest(nodes: Nodes, index: number, column: Float64Array, most: Float64Array, count: Int32Array): void {
  let largest = 0
  let having = 0
  for (let row = 0; row < nodes.names.length; row++) {
    const has = nodes.schedulable[row] === 1 ? reach(nodes, row, index, column) : 0
    if (has > largest) having = 0
    if (has < largest) continue
    largest = has
    having++
  }
  most[index] = largest
  count[index] = having
}

function isEmpty({ segments }: Ledger): boolean {
  const [only] = segments
  return segments.length === 1 && only !== undefined && only.ahead.load.every((amount) => amount === 0)
}
