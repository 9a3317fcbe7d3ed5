/** Exact packing: whether all replicas find a node, by trying every way that differs. For small cases only. */

/** Replicas of one component. A cell is one resource at one instant. */
export interface Item {
  readonly replicas: number
  readonly alone: 'node' | 'zone' | undefined
  /** Nodes that hold such a replica already, for who must be alone. */
  readonly holding: readonly number[]
  /** What one replica takes; positive amounts only. */
  readonly takes: readonly (readonly [cell: number, amount: number])[]
}

export interface Bin {
  readonly zone: string | undefined
  /** What is left in each cell. */
  readonly left: Float64Array
}

/** Replicas per item and bin. */
export type Ways = number[][]

/** Rather no answer than a wrong one: a search past this throws. */
const mostSteps = 3_000_000

/** The first way to seat all items that `accept` agrees to; `undefined` when there is none. The bins stay as they are. */
export function pack(
  items: readonly Item[],
  bins: readonly Bin[],
  accept?: (left: readonly Bin[], ways: Ways) => boolean,
): Ways | undefined {
  const now = bins.map(({ zone, left }) => ({ zone, left: left.slice() }))
  const order = items.map((item, at) => ({ item, at })).sort((a, b) => weight(b.item, bins) - weight(a.item, bins))
  const ways = items.map(() => new Array<number>(bins.length).fill(0))
  // What follows depends on which node is which when someone keeps away from nodes by name.
  const named = accept !== undefined || items.some(({ holding }) => holding.length > 0)
  const failed = new Set<string>()
  let steps = 0

  const seatFrom = (k: number): boolean => {
    const next = order[k]
    if (!next) return accept ? accept(now, ways) : true
    if (!enough(order.slice(k), now)) return false
    const state = `${k} ${stateOf(now, named ? alonesOf(order.slice(0, k), ways) : undefined)}`
    if (failed.has(state)) return false
    if (distribute(k, 0, next.item.replicas)) return true
    failed.add(state)
    return false
  }

  const distribute = (k: number, node: number, rest: number): boolean => {
    if (rest === 0) return seatFrom(k + 1)
    const [next, bin] = [order[k], now[node]]
    if (!next || !bin) return false
    if (++steps > mostSteps) throw new Error('too large to be packed exactly')
    const { item, at } = next
    const row = ways[at] as number[]
    for (let n = Math.min(rest, allowed(item, node, row, now), fits(item, bin)); n >= 0; n--) {
      take(bin, item, n)
      row[node] = n
      if (distribute(k, node + 1, rest - n)) return true
      row[node] = 0
      take(bin, item, -n)
    }
    return false
  }

  return seatFrom(0) ? ways : undefined
}

/** How many may be here beside those of its kind. */
function allowed({ alone, holding }: Item, node: number, row: readonly number[], bins: readonly Bin[]): number {
  if (alone === undefined) return Number.POSITIVE_INFINITY
  if (alone === 'node') return holding.includes(node) ? 0 : 1
  const zone = bins[node]?.zone
  const held = bins.some((bin, other) => bin.zone === zone && ((row[other] ?? 0) > 0 || holding.includes(other)))
  return zone === undefined || held ? 0 : 1
}

/** How many replicas a node takes; what takes nothing of a cell fits in it, however full. */
function fits({ takes, replicas }: Item, { left }: Bin): number {
  let most = replicas
  for (const [cell, amount] of takes) most = Math.min(most, Math.max(0, Math.floor((left[cell] ?? 0) / amount)))
  return most
}

function take({ left }: Bin, { takes }: Item, times: number): void {
  if (times !== 0) for (const [cell, amount] of takes) left[cell] = (left[cell] ?? 0) - amount * times
}

interface Ordered {
  readonly item: Item
  readonly at: number
}

/** Whether the sums allow it: what no packing can do without. */
function enough(rest: readonly Ordered[], bins: readonly Bin[]): boolean {
  const asked = new Map<number, number>()
  for (const { item } of rest)
    for (const [cell, amount] of item.takes) asked.set(cell, (asked.get(cell) ?? 0) + amount * item.replicas)
  for (const [cell, amount] of asked)
    if (bins.reduce((sum, { left }) => sum + Math.max(0, left[cell] ?? 0), 0) < amount) return false
  return true
}

/** What lies ahead is the same in equal states: bins of a zone may change places unless they are told apart by name. */
function stateOf(bins: readonly Bin[], named: string | undefined): string {
  const parts = bins.map(({ zone, left }) => `${zone}:${left}`)
  return named === undefined ? parts.sort().join(';') : `${parts.join(';')} ${named}`
}

function alonesOf(seated: readonly Ordered[], ways: Ways): string {
  return seated.flatMap(({ item, at }) => (item.alone ? [`${at}:${ways[at]}`] : [])).join(';')
}

/** The largest share of any node: what is large is seated first. */
function weight({ takes, replicas }: Item, bins: readonly Bin[]): number {
  if (replicas === 0) return 0
  const finite = (amount: number | undefined) => (Number.isFinite(amount) ? (amount ?? 0) : 1)
  return Math.max(0, ...takes.map(([cell, amount]) => amount / Math.max(1, ...bins.map((b) => finite(b.left[cell])))))
}
