/** The door to real clusters for tests: started for one test, ended with it. */
import type { Test } from 'tap'
import { buildPrograms } from './build.ts'
import { type Cluster, type ClusterSpec, startCluster } from './cluster.ts'
import { sweepLeftovers } from './processes.ts'

export { missingForClusters } from './build.ts'
export type { Cluster, ClusterSpec } from './cluster.ts'
export type { Component } from './components.ts'
export type { NodeSpec, StorageClassSpec } from './manifests.ts'
export { until } from './wait.ts'

/** Clusters that start at the same moment; each is five processes that all compute. */
const together = 2

/**
 * Starts the clusters, by name, and ends them with the test. Builds the programs when need be. On a machine that
 * cannot build them it rejects: give `missingForClusters()` to the test as `skip`, so that the report says why.
 */
export async function startClusters<const Name extends string>(
  t: Pick<Test, 'teardown'>,
  specs: readonly (ClusterSpec & { readonly name: Name })[],
): Promise<Record<Name, Cluster>> {
  const programs = await buildPrograms()
  sweepLeftovers()
  const started: Cluster[] = []
  t.teardown(() => Promise.all(started.map((cluster) => cluster.stop())))
  const waiting = [...specs]
  const worker = async () => {
    for (let spec = waiting.shift(); spec; spec = waiting.shift()) started.push(await startCluster(programs, spec))
  }
  const results = await Promise.allSettled(Array.from({ length: together }, worker))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return Object.fromEntries(started.map((cluster) => [cluster.name, cluster])) as Record<Name, Cluster>
}
