/** Simulated Kubernetes clusters over HTTPS on loopback: the same wire as real ones, and never the proof. */
export type { SandboxCluster } from './cluster.ts'
export type { Fault } from './faults.ts'
export { createIdentity, type Sandbox, type SandboxIdentity, startSandbox } from './sandbox.ts'
export type { ClusterSeed, NodeSeed, PodSeed } from './seed.ts'
