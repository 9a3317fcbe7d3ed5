/** One run of a policy over a list of arrivals: how much of the devices ends up in use, checked from scratch. */
import { assert } from '../../shared/assert.ts'
import { createFleet, take } from './fleet.ts'
import { type DeviceNode, type DeviceRequest, type DeviceSeat, takenOfDevices, wholeDevice } from './model.ts'
import type { Policy } from './policies.ts'

export interface Trial {
  /** Percentage of all devices in use when the arrivals have asked for the last hundredth of `demand`. */
  readonly allocation: number
  readonly placed: number
  readonly refused: number
  /** Of nodes and devices beyond their size, counted anew from the seats alone; anything but 0 makes it worthless. */
  readonly overcommitted: number
}

export interface Seated {
  readonly request: DeviceRequest
  readonly seat: DeviceSeat
}

/** Thousandths of devices there are in all. */
export function deviceCapacity(nodes: readonly DeviceNode[]): number {
  return nodes.reduce((sum, { devices }) => sum + devices * wholeDevice, 0)
}

/**
 * The arrivals of one seed: the list in random order, then more of the same drawn with replacement until the demand
 * for devices is `ratio` of the capacity, or thinned at random when the list asks for more than that.
 */
export function arrivalsOf<R extends DeviceRequest>(
  list: readonly R[],
  capacity: number,
  ratio: number,
  random: () => number,
): R[] {
  assert(list.some((request) => takenOfDevices(request) > 0) && capacity > 0, 'somebody asks for devices that exist')
  const arrivals = [...list]
  const any = (length: number) => Math.floor(random() * length)
  for (let i = arrivals.length - 1; i > 0; i--) {
    const other = any(i + 1)
    const [a, b] = [arrivals[i], arrivals[other]]
    if (a && b) [arrivals[i], arrivals[other]] = [b, a]
  }
  const target = ratio * capacity
  let asked = arrivals.reduce((sum, request) => sum + takenOfDevices(request), 0)
  if (asked > target) {
    while (asked > target) for (const gone of arrivals.splice(any(arrivals.length), 1)) asked -= takenOfDevices(gone)
    return arrivals
  }
  for (;;) {
    const more = list[any(list.length)]
    // As published: the one that would pass the target by one device's share ends the list.
    if (!more || asked + (more.devices > 0 ? more.share : 0) > target) return arrivals
    asked += takenOfDevices(more)
    arrivals.push(more)
  }
}

/** Places every arrival that finds room, in order; none is refused while a node has room, whatever the policy. */
export function runTrial(
  nodes: readonly DeviceNode[],
  arrivals: readonly DeviceRequest[],
  expected: readonly DeviceRequest[],
  policy: Policy,
  random: () => number,
): Trial {
  const fleet = createFleet(nodes)
  const capacity = deviceCapacity(nodes)
  const choose = policy(fleet, expected, random)
  const last = Math.round((100 * arrivals.reduce((sum, request) => sum + takenOfDevices(request), 0)) / capacity)
  const seated: Seated[] = []
  let [asked, used, readings, sum] = [0, 0, 0, 0]
  for (const request of arrivals) {
    asked += takenOfDevices(request)
    const seat = choose(request)
    if (seat) {
      take(fleet, request, seat)
      seated.push({ request, seat })
      used += takenOfDevices(request)
    }
    if (Math.round((100 * asked) / capacity) === last) {
      readings++
      sum += (100 * used) / capacity
    }
  }
  return {
    allocation: readings === 0 ? 0 : sum / readings,
    placed: seated.length,
    refused: arrivals.length - seated.length,
    overcommitted: overcommittedNodes(nodes, seated).length,
  }
}

/** Names of nodes that carry more than they have, or what may not run there: its own sums over the seats. */
export function overcommittedNodes(nodes: readonly DeviceNode[], seated: readonly Seated[]): string[] {
  const byNode = Map.groupBy(seated, ({ seat }) => seat.node)
  return [...byNode.entries()].flatMap(([position, here]) => {
    const node = nodes[position]
    if (!node) return [`node ${position}`]
    const sum = (of: (request: DeviceRequest) => number) => here.reduce((total, { request }) => total + of(request), 0)
    const shares = new Map<number, number>()
    for (const { request, seat } of here)
      for (const device of new Set(seat.devices)) shares.set(device, (shares.get(device) ?? 0) + request.share)
    const sound =
      sum(({ cpu }) => cpu) <= node.cpu &&
      sum(({ memory }) => memory) <= node.memory &&
      [...shares].every(([device, share]) => device < node.devices && share <= wholeDevice) &&
      here.every(({ request, seat }) => new Set(seat.devices).size === request.devices) &&
      here.every(
        ({ request: { devices, models } }) => devices === 0 || models.length === 0 || models.includes(node.model),
      )
    return sound ? [] : [node.name]
  })
}
