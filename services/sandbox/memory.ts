/** What the demonstration keeps between two starts, so that kubeconfigs and registered connections stay valid. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'
import { createIdentity, type SandboxCluster, type SandboxIdentity } from './kubernetes/index.ts'

export interface Memory {
  readonly identity: SandboxIdentity
  /** Where the clusters listened last; 0 before they ever did. */
  readonly port: number
  /** A digest of the kubeconfigs that a broker was last told whole; absent before. */
  readonly told?: string
}

/** Reads `sandbox.json`, or makes one. */
export function readMemory(directory: string, clock: Clock, random: Random): Memory {
  const file = join(directory, 'sandbox.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Memory
  const memory = { identity: createIdentity(clock, random), port: 0 }
  writeMemory(directory, memory)
  return memory
}

export function writeMemory(directory: string, memory: Memory): void {
  replaceFile(join(directory, 'sandbox.json'), `${JSON.stringify(memory, null, 2)}\n`)
}

interface Kubeconfig {
  readonly clusters: readonly object[]
  readonly users: readonly { readonly name: string; readonly user: object }[]
  readonly contexts: readonly { readonly name: string; readonly context: { readonly cluster: string } }[]
}

/** One file with a context for each cluster, named after it; the first is the current one. Returns its path. */
export function writeKubeconfig(directory: string, clusters: readonly SandboxCluster[]): string {
  const each = clusters.map((cluster) => ({ name: cluster.name, config: parse(cluster.kubeconfig()) as Kubeconfig }))
  const path = join(directory, 'kubeconfig.yaml')
  const all = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: each.flatMap(({ config }) => config.clusters),
    users: each.map(({ name, config }) => ({ name, user: config.users[0]?.user })),
    contexts: each.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
    'current-context': clusters[0]?.name ?? '',
  }
  // Every cluster repeats the certificate of the authority; aliases would be legal YAML and hard to read.
  replaceFile(path, stringify(all, { aliasDuplicateObjects: false }))
  return path
}

/** As a whole, for its owner alone. */
function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text, { mode: 0o600, flush: true })
  renameSync(`${path}.draft`, path)
}
