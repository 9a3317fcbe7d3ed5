/**
 * How much of a node's free devices the typical requests cannot use, in thousandths. `unusable` is the measure of FGD
 * (Weng et al., USENIX ATC 2023): what is of no use to the next request. `leftover` looks further: what stays when the
 * node is filled with requests of one size, so that a node that runs out of processor long before its devices counts
 * as broken while one request still fits.
 */
import type { Typical } from './mix.ts'

/** A node as it is, or as it would be: `free` from `first` on, one element per device. */
export interface NodeView {
  cpu: number
  memory: number
  model: number
  free: Int32Array
  first: number
  devices: number
}

/** Lower is better. Pure: the view stays as it is. */
export type Measure = (node: NodeView) => number

/** The published measure, memory left out as there. A request without devices cannot use any, so all counts as lost. */
export function unusable(mix: readonly Typical[]): Measure {
  return (node) => {
    const total = freeInAll(node)
    if (total === 0) return 0
    let lost = 0
    for (const { request, bits, weight } of mix) lost += weight * unusableFor(node, request, bits, total)
    return lost
  }
}

function unusableFor(node: NodeView, request: Typical['request'], bits: number, total: number): number {
  if (request.devices === 0 || node.cpu < request.cpu || ((bits >> node.model) & 1) === 0) return total
  let tooSmall = 0
  let enough = 0
  for (let at = node.first; at < node.first + node.devices; at++) {
    const free = node.free[at] ?? 0
    if (free < request.share) tooSmall += free
    else enough++
  }
  return enough >= request.devices ? tooSmall : total
}

/** What stays after filling up with one size, on average over the sizes that take devices. */
export function leftover(mix: readonly Typical[]): Measure {
  const taking = mix.filter(({ request }) => request.devices > 0)
  const all = taking.reduce((sum, { weight }) => sum + weight, 0)
  return (node) => {
    const total = freeInAll(node)
    if (total === 0) return 0
    let stays = 0
    for (const { request, bits, weight } of taking) {
      stays += weight * (total - copies(node, request, bits) * request.devices * request.share)
    }
    return stays / all
  }
}

/** How many of a size fit. A part of a copy counts from one whole on: others will use what processor is left. */
function copies(node: NodeView, { cpu, memory, devices, share }: Typical['request'], bits: number): number {
  if (((bits >> node.model) & 1) === 0) return 0
  let seats = 0
  for (let at = node.first; at < node.first + node.devices; at++) {
    seats += Math.floor((node.free[at] ?? 0) / share)
  }
  const byDevices = Math.floor(seats / devices)
  const byProcessor = cpu > 0 ? node.cpu / cpu : Number.POSITIVE_INFINITY
  const byMemory = memory > 0 ? node.memory / memory : Number.POSITIVE_INFINITY
  const byOthers = Math.min(byProcessor, byMemory)
  return Math.min(byDevices, byOthers < 1 ? 0 : byOthers)
}

/** Both at once, each with its weight. */
export function weighed(...parts: readonly (readonly [number, Measure])[]): Measure {
  return (node) => parts.reduce((sum, [weight, measure]) => sum + weight * measure(node), 0)
}

function freeInAll({ free, first, devices }: NodeView): number {
  let total = 0
  for (let at = first; at < first + devices; at++) total += free[at] ?? 0
  return total
}
