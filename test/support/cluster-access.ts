/** What the documentation tells a provider to grant, as objects. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import type { KubernetesObject } from '../../services/broker/clusters/core/objects.ts'

const text = readFileSync(new URL('../../docs/examples/cluster-access.yaml', import.meta.url), 'utf8')

/** A ClusterRole of docs/examples/cluster-access.yaml by its name. */
export function clusterAccess(role: string): KubernetesObject | undefined {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject)
  return objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === role)
}
