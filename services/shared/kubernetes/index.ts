/** The door to Kubernetes: a sanitised kubeconfig, a guarded connection, and what is asked of a cluster. */

export { type AddressGuard, createAddressGuard, type EndpointPolicy, parseCidr } from './addresses.ts'
export {
  type ApplyOptions,
  type ClusterClient,
  type ConnectOptions,
  connectCluster,
  connectThrough,
  type Manifest,
  type RemoveOptions,
  type Version,
} from './client.ts'
export { endpointRefusal, guardedLookup, hostOf, hostRefusal, type Resolve } from './endpoint.ts'
export { KubernetesError, TooLarge, Unreachable } from './errors.ts'
export type { Informer, InformerHandlers, InformerOptions } from './informer.ts'
export { type Connection, type Sanitized, sanitizeKubeconfig } from './kubeconfig.ts'
export type { Limits } from './limits.ts'
export type { KindRef, KubernetesObject, ListOptions, ObjectList, ObjectMeta, ObjectRef } from './model.ts'
export { endOfWait, mayRun, type Workload, workloads } from './scaling.ts'
export type { OpenPipe } from './ways.ts'
