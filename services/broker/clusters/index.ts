/** The door of clusters: what a datacenter's connection is, and what the leader keeps there. */
export { type Clusters, type ClustersOptions, createClusters } from './clusters.ts'
export type { ConnectionPolicy } from './connect.ts'
