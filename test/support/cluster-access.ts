/** What the documentation tells a provider to grant, as objects. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import type { KubernetesObject } from '../../services/broker/clusters/core/objects.ts'

const objectsOf = (file: string) =>
  parseAllDocuments(readFileSync(new URL(`../../docs/examples/${file}`, import.meta.url), 'utf8')).map(
    (document) => document.toJS() as KubernetesObject,
  )
const access = objectsOf('cluster-access.yaml')

/** A ClusterRole of docs/examples/cluster-access.yaml by its name. */
export function clusterAccess(role: string): KubernetesObject | undefined {
  return access.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === role)
}

/** The Role of docs/examples/velero-access.yaml, in the namespace of Velero. */
export function veleroAccess(): KubernetesObject | undefined {
  return objectsOf('velero-access.yaml').find(({ kind }) => kind === 'Role')
}
