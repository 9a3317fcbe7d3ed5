/**
 * Chooses the node and the device where placing a request breaks least: the steepest descent of a measure of
 * fragmentation. Scores are kept per size of request and worked out again only for nodes that changed since.
 */
import { changedSince, changesOf, type Fleet, fits, modelBits } from './fleet.ts'
import type { Measure, NodeView } from './fragmentation.ts'
import { sizeKey } from './mix.ts'
import type { DeviceRequest, DeviceSeat } from './model.ts'

/** Where a request runs, or undefined when no node has room. Leaves the fleet as it is. */
export type Choose = (request: DeviceRequest) => DeviceSeat | undefined

/** What is known of one size of request. */
interface Scored {
  readonly request: DeviceRequest
  readonly bits: number
  /** Per node how much placing it there mends (less: breaks); -Infinity where it does not fit. */
  readonly gain: Float64Array
  /** Per node the device for a request of one. */
  readonly device: Int16Array
  /** How many changes of the fleet it knows. */
  seen: number
}

interface Bench {
  readonly fleet: Fleet
  readonly measure: Measure
  readonly rounded: (gain: number) => number
  /** The measure of each node as it is, NaN when it changed. */
  readonly now: Float64Array
  /** The one view that is asked about, so that trying costs no memory. */
  readonly view: NodeView
}

export interface GradientOptions {
  /** Makes more gains equal. */
  readonly rounded?: (gain: number) => number
  /** Uniform in [0, 1): draws among equal nodes. Without it the first of the list is taken. */
  readonly draw?: () => number
}

/** Of equal devices on a node the first is taken. */
export function gradient(fleet: Fleet, measure: Measure, options: GradientOptions = {}): Choose {
  const { rounded = (gain) => gain, draw } = options
  const count = fleet.nodes.length
  const view = { cpu: 0, memory: 0, model: 0, free: new Int32Array(fleet.width), first: 0, devices: 0 }
  const bench: Bench = { fleet, measure, rounded, now: new Float64Array(count).fill(Number.NaN), view }
  const known = new Map<string, Scored>()
  const marked = new Int32Array(count)
  let round = 0
  let measured = 0
  return (request) => {
    const stale = changedSince(fleet, measured)
    if (stale) for (const n of stale) bench.now[n] = Number.NaN
    else bench.now.fill(Number.NaN)
    measured = changesOf(fleet)
    const key = sizeKey(request)
    const scored = known.get(key) ?? unscored(fleet, request)
    known.set(key, scored)
    const changed = changedSince(fleet, scored.seen)
    round++
    if (!changed) for (let n = 0; n < count; n++) score(bench, scored, n)
    else
      for (const n of changed) {
        if (marked[n] === round) continue
        marked[n] = round
        score(bench, scored, n)
      }
    scored.seen = measured
    const node = largest(scored.gain, draw)
    if (node < 0) return undefined
    return { node, devices: request.devices === 1 ? [scored.device[node] ?? 0] : tightest(fleet, node, request) }
  }
}

/** As one that has seen nothing of the fleet. */
function unscored(fleet: Fleet, request: DeviceRequest): Scored {
  const count = fleet.nodes.length
  const bits = modelBits(fleet, request)
  return { request, bits, gain: new Float64Array(count), device: new Int16Array(count), seen: -1 }
}

/** Which devices a request of several takes: those with least free that have enough; of equals the first. */
export function tightest({ free, width, devices }: Fleet, node: number, request: DeviceRequest): number[] {
  const at = (device: number) => free[node * width + device] ?? 0
  return Array.from({ length: devices[node] ?? 0 }, (_, device) => device)
    .filter((device) => at(device) >= request.share)
    .sort((a, b) => at(a) - at(b) || a - b)
    .slice(0, request.devices)
}

function score(bench: Bench, { request, bits, gain, device }: Scored, n: number): void {
  const { fleet, measure, rounded, now, view } = bench
  if (!fits(fleet, n, request, bits)) {
    gain[n] = Number.NEGATIVE_INFINITY
    return
  }
  look(bench, n)
  let before = now[n] ?? Number.NaN
  if (Number.isNaN(before)) {
    before = measure(view)
    now[n] = before
  }
  view.cpu -= request.cpu
  view.memory -= request.memory
  if (request.devices === 1) {
    gain[n] = Number.NEGATIVE_INFINITY
    for (let d = 0; d < view.devices; d++) {
      const free = view.free[d] ?? 0
      if (free < request.share || view.free.indexOf(free) < d) continue
      view.free[d] = free - request.share
      const found = rounded(before - measure(view))
      view.free[d] = free
      if (found > (gain[n] ?? 0)) {
        gain[n] = found
        device[n] = d
      }
    }
    return
  }
  if (request.devices > 1)
    for (const d of tightest(fleet, n, request)) view.free[d] = (view.free[d] ?? 0) - request.share
  gain[n] = rounded(before - measure(view))
}

function look({ fleet, view }: Bench, n: number): void {
  view.cpu = fleet.cpu[n] ?? 0
  view.memory = fleet.memory[n] ?? 0
  view.model = fleet.model[n] ?? 0
  view.devices = fleet.devices[n] ?? 0
  for (let d = 0; d < view.devices; d++) view.free[d] = fleet.free[n * fleet.width + d] ?? 0
}

function largest(gain: Float64Array, draw: (() => number) | undefined): number {
  let best = -1
  let most = Number.NEGATIVE_INFINITY
  let equals = 0
  for (let n = 0; n < gain.length; n++) {
    const here = gain[n] ?? 0
    if (here > most) {
      most = here
      best = n
      equals = 1
    } else if (draw && here === most && best >= 0) {
      equals++
      if (draw() * equals < 1) best = n
    }
  }
  return best
}
