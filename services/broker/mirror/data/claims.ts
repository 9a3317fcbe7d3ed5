/** The kinds that hold data, and what becomes of a claim that stands where its data is to be brought back. */
import type { ClusterClient } from '../../../shared/kubernetes/index.ts'
import { cnpgVersion } from '../core/cnpg.ts'
import type { DataObject, Promotion } from '../core/data.ts'
import { sourceOf } from '../core/marks.ts'

export const clusterKind = { apiVersion: cnpgVersion, kind: 'Cluster' }
export const claimKind = { apiVersion: 'v1', kind: 'PersistentVolumeClaim' }

/** An empty one that the mirror made before the data was declared goes; what may hold data is for people to remove. */
export async function giveWay(
  tenant: ClusterClient,
  namespace: string,
  { metadata: { name, uid = '', annotations }, status }: DataObject,
  confirm: () => Promise<boolean>,
): Promise<Promotion> {
  if (sourceOf(annotations) === undefined || status?.['phase'] === 'Bound')
    return { state: 'failed', reason: `PersistentVolumeClaim ${name} stands here from before and may hold older data` }
  if (await confirm()) await tenant.remove({ ...claimKind, name, namespace }, { preconditions: { uid } })
  return { state: 'waiting', reason: `PersistentVolumeClaim ${name} makes way` }
}
