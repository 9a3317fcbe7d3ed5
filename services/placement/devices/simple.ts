/** The plain ways to choose a node and its devices, to compare with: first, best, worst and random fit. */
import { type Fleet, fits, modelBits } from './fleet.ts'
import type { Choose } from './gradient.ts'
import type { DeviceRequest } from './model.ts'

type Order = (fleet: Fleet, node: number) => number

/** The first node in the list, and its first devices. */
export function firstFit(fleet: Fleet): Choose {
  return lowest(
    fleet,
    (_, node) => node,
    () => 0,
  )
}

/** The node with least left of processor and devices, and its tightest devices. */
export function bestFit(fleet: Fleet): Choose {
  return lowest(fleet, roomLeft(fleet), (free) => free)
}

/** The node with most left, and its emptiest devices. */
export function worstFit(fleet: Fleet): Choose {
  const room = roomLeft(fleet)
  return lowest(
    fleet,
    (_, node) => -room(fleet, node),
    (free) => -free,
  )
}

/** Any node that fits, and any of its devices. `random` is uniform in [0, 1). */
export function randomFit(fleet: Fleet, random: () => number): Choose {
  return lowest(fleet, random, random)
}

/** What is left of a node, each kind as a part of the largest node's; the request takes the same everywhere. */
function roomLeft({ nodes, width }: Fleet): Order {
  const mostCpu = Math.max(1, ...nodes.map(({ cpu }) => cpu))
  return ({ cpu, free }, node) => {
    let devices = 0
    for (let at = node * width; at < (node + 1) * width; at++) devices += free[at] ?? 0
    return (cpu[node] ?? 0) / mostCpu + devices / (width * 1_000)
  }
}

function lowest(fleet: Fleet, byNode: Order, byDevice: (free: number) => number): Choose {
  return (request) => {
    const bits = modelBits(fleet, request)
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let n = 0; n < fleet.nodes.length; n++) {
      if (!fits(fleet, n, request, bits)) continue
      const here = byNode(fleet, n)
      if (here < least) {
        least = here
        best = n
      }
    }
    return best < 0 ? undefined : { node: best, devices: devicesBy(fleet, best, request, byDevice) }
  }
}

function devicesBy(
  { free, width, devices }: Fleet,
  node: number,
  { share, devices: wanted }: DeviceRequest,
  order: (free: number) => number,
): number[] {
  return Array.from({ length: devices[node] ?? 0 }, (_, device) => ({ device, free: free[node * width + device] ?? 0 }))
    .filter((candidate) => candidate.free >= share)
    .map((candidate) => ({ ...candidate, rank: order(candidate.free) }))
    .sort((a, b) => a.rank - b.rank || a.device - b.device)
    .slice(0, wanted)
    .map(({ device }) => device)
}
