/** What is free on every node and device, in typed arrays, and the only three ways in which it changes or is asked. */
import { assert } from '../../shared/assert.ts'
import { type DeviceNode, type DeviceRequest, type DeviceSeat, wholeDevice } from './model.ts'

/** Owned by one caller; changed by `take` and `give` alone. */
export interface Fleet {
  readonly nodes: readonly DeviceNode[]
  /** Places for devices per node: device `d` of node `n` stands at `n * width + d`. */
  readonly width: number
  readonly devices: Uint8Array
  readonly cpu: Int32Array
  readonly memory: Int32Array
  /** Thousandths free per device. */
  readonly free: Int32Array
  /** Position of the node's model in `models`. */
  readonly model: Uint8Array
  readonly models: readonly string[]
  /** Who remembers how many changes there have been knows from it what is stale since. */
  readonly changes: Changes
}

/** The last nodes that changed, in order; the older ones are forgotten, or this would grow for as long as the fleet lives. */
export interface Changes {
  readonly nodes: number[]
  /** How many were forgotten. */
  forgotten: number
}

const mostModels = 31
/** So many changes per node are remembered, and at least so many in all. */
const rememberedPerNode = 2
const remembered = 256

/** All of it free. Throws when there are more models than bits, or a figure is no whole number. */
export function createFleet(nodes: readonly DeviceNode[]): Fleet {
  const models = [...new Set(nodes.map(({ model }) => model))].sort()
  assert(models.length <= mostModels, `at most ${mostModels} device models`)
  for (const { cpu, memory, devices } of nodes) {
    const whole = [cpu, memory, devices].every((figure) => Number.isInteger(figure) && figure >= 0)
    assert(whole && devices < 256, 'the size of a node is in whole numbers')
  }
  const width = Math.max(1, ...nodes.map(({ devices }) => devices))
  const free = new Int32Array(nodes.length * width)
  nodes.forEach(({ devices }, n) => {
    free.fill(wholeDevice, n * width, n * width + devices)
  })
  return {
    nodes,
    width,
    devices: Uint8Array.from(nodes, ({ devices }) => devices),
    cpu: Int32Array.from(nodes, ({ cpu }) => cpu),
    memory: Int32Array.from(nodes, ({ memory }) => memory),
    free,
    model: Uint8Array.from(nodes, ({ model }) => models.indexOf(model)),
    models,
    changes: { nodes: [], forgotten: 0 },
  }
}

/** The models a request runs on as bits over `fleet.models`; all bits when any will do, or it takes no device. */
export function modelBits({ models }: Pick<Fleet, 'models'>, request: DeviceRequest): number {
  if (request.devices === 0 || request.models.length === 0) return -1
  return request.models.reduce((bits, model) => {
    const at = models.indexOf(model)
    return at < 0 ? bits : bits | (1 << at)
  }, 0)
}

/** Whether a node has the processor, the memory, the model and enough devices with that much free. */
export function fits(fleet: Fleet, n: number, request: DeviceRequest, bits: number): boolean {
  if ((fleet.cpu[n] ?? 0) < request.cpu || (fleet.memory[n] ?? 0) < request.memory) return false
  if (request.devices === 0) return true
  if (((bits >> (fleet.model[n] ?? 0)) & 1) === 0) return false
  const first = n * fleet.width
  const end = first + (fleet.devices[n] ?? 0)
  let wanted = request.devices
  for (let at = first; at < end && wanted > 0; at++) if ((fleet.free[at] ?? 0) >= request.share) wanted--
  return wanted <= 0
}

/** Counts a request as running there. Throws when it does not fit: nothing is ever overcommitted. */
export function take(fleet: Fleet, request: DeviceRequest, seat: DeviceSeat): void {
  assert(seat.devices.length === request.devices, 'a seat has as many devices as were asked')
  assert(new Set(seat.devices).size === request.devices, 'a seat names each device once')
  change(fleet, request, seat, -1)
}

/** Takes it out again. */
export function give(fleet: Fleet, request: DeviceRequest, seat: DeviceSeat): void {
  change(fleet, request, seat, 1)
}

function change(fleet: Fleet, { cpu, memory, share }: DeviceRequest, { node, devices }: DeviceSeat, sign: 1 | -1) {
  move(fleet.cpu, node, sign * cpu, fleet.nodes[node]?.cpu)
  move(fleet.memory, node, sign * memory, fleet.nodes[node]?.memory)
  for (const device of devices) {
    assert(device < (fleet.devices[node] ?? 0), 'the node has this device')
    move(fleet.free, node * fleet.width + device, sign * share, wholeDevice)
  }
  const { nodes } = fleet.changes
  nodes.push(node)
  if (nodes.length > Math.max(remembered, rememberedPerNode * fleet.nodes.length)) {
    const half = nodes.length >> 1
    nodes.splice(0, half)
    fleet.changes.forgotten += half
  }
}

/** How many changes there have been. */
export function changesOf({ changes }: Fleet): number {
  return changes.forgotten + changes.nodes.length
}

/** The nodes that changed since there had been so many changes, the last first; `undefined` when that is forgotten. */
export function changedSince({ changes }: Fleet, seen: number): readonly number[] | undefined {
  return seen < changes.forgotten ? undefined : changes.nodes.slice(seen - changes.forgotten).reverse()
}

function move(figures: Int32Array, at: number, by: number, most: number | undefined): void {
  const after = (figures[at] ?? 0) + by
  assert(most !== undefined && after >= 0 && after <= most, 'nothing is overcommitted, and nothing given back twice')
  figures[at] = after
}
