/** Nodes with devices that can be shared, and what asks for them: the vocabulary of device-level placement. */

/** A whole device, in the unit of shares: thousandths. */
export const wholeDevice = 1_000

/** Millicores, MiB and whole devices; all devices of a node are of one model. */
export interface DeviceNode {
  readonly name: string
  readonly cpu: number
  readonly memory: number
  readonly devices: number
  readonly model: string
}

/** `share` is what it takes of each of its `devices`, in thousandths. It takes none when `devices` is 0. */
export interface DeviceRequest {
  readonly cpu: number
  readonly memory: number
  readonly devices: number
  readonly share: number
  /** Models it runs on; empty: any. */
  readonly models: readonly string[]
}

/** Where a request runs: the node by its position, and which of its devices. */
export interface DeviceSeat {
  readonly node: number
  readonly devices: readonly number[]
}

/** What it takes of devices in all, in thousandths. */
export const takenOfDevices = ({ devices, share }: DeviceRequest): number => devices * share
