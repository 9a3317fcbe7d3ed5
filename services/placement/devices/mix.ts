/** The typical requests: which sizes are asked, how often, from requests seen so far or expected. */
import { type Fleet, modelBits } from './fleet.ts'
import { type DeviceRequest, takenOfDevices } from './model.ts'

/** One size of request with its part of the whole; the parts of a mix add up to 1. */
export interface Typical {
  readonly request: DeviceRequest
  readonly bits: number
  readonly weight: number
}

export interface MixOptions {
  /** Leave the rarest out, as long as this part of the requests is still represented; 1 keeps all. */
  readonly keep: number
  /** Whether two sizes that differ in memory alone are two. */
  readonly byMemory: boolean
}

/** The sizes, most frequent first; ties by size, so that the same requests in another order give the same mix. */
export function mixOf(
  fleet: Pick<Fleet, 'models'>,
  requests: readonly DeviceRequest[],
  { keep, byMemory }: MixOptions,
): Typical[] {
  const sizes = Map.groupBy(requests, (request) => sizeKey(byMemory ? request : { ...request, memory: 0 }))
  const counted = [...sizes.entries()]
    .map(([key, [request, ...more]]) => ({ key, request, count: more.length + 1 }))
    .sort((a, b) => b.count - a.count || larger(b.request, a.request) || (a.key < b.key ? -1 : 1))
  const chosen: { request: DeviceRequest; count: number }[] = []
  let represented = 0
  for (const { request, count } of counted) {
    if (represented >= keep * requests.length) break
    represented += count
    if (request) chosen.push({ request: byMemory ? request : { ...request, memory: 0 }, count })
  }
  return chosen.map(({ request, count }) => ({
    request,
    bits: modelBits(fleet, request),
    weight: count / represented,
  }))
}

/** The same for requests that can never be told apart. */
export function sizeKey({ cpu, memory, devices, share, models }: DeviceRequest): string {
  return `${cpu}/${memory}/${devices}/${share}/${models.join('|')}`
}

function larger(a: DeviceRequest | undefined, b: DeviceRequest | undefined): number {
  if (!a || !b) return 0
  return a.cpu - b.cpu || takenOfDevices(a) - takenOfDevices(b) || a.memory - b.memory
}
