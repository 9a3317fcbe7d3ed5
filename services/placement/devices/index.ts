/** The public door of device-level placement: shares of devices, by node and by device. */
export type { DeviceNode, DeviceRequest, DeviceSeat } from './model.ts'
export { type DevicePolicyName, devicePolicies } from './policies.ts'
export { arrivalsOf, deviceCapacity, runTrial, type Trial } from './trial.ts'
