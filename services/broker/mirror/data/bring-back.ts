/** Brings back all volumes of a hosting from the newest copy that Velero has at the site where it now runs. */
import type { Epoch } from '../../../fallback/index.ts'
import type { ClusterClient } from '../../../shared/kubernetes/index.ts'
import { listAll } from '../../clusters/index.ts'
import type { DataObject, Promotion } from '../core/data.ts'
import { newestGood, restoreName, restoreOf, veleroNamespace, veleroRestored, veleroVersion } from '../core/velero.ts'
import { backupsAt, ownerAt } from './backups.ts'
import { claimKind, giveWay } from './claims.ts'
import { putData, readData } from './objects.ts'

const restoreKind = { apiVersion: veleroVersion, kind: 'Restore' }

export interface Back {
  /** In the desk's own name. */
  readonly desk: ClusterClient
  readonly tenant: ClusterClient
  readonly hostingId: string
  readonly namespace: string
  readonly slug: string
  readonly order: string
  /** Where it runs now; copies of those before count. */
  readonly lease: Epoch
  /** Whether it is still to be brought back; asked before anything is written. */
  readonly confirm: () => Promise<boolean>
}

/** One step; repeating it changes nothing. Rejects when the site does not answer. */
export async function bringBack(site: Back): Promise<Promotion> {
  const { desk, tenant, hostingId, namespace, slug, order, lease, confirm } = site
  const restore = await readData(desk, restoreKind, restoreName(order), veleroNamespace)
  const claims: DataObject[] = []
  await listAll(tenant, claimKind, namespace, (claim) => claims.push({ ...(claim as DataObject), ...claimKind }))
  if (restore) return veleroRestored(restore, claims)
  // What stands there already would be left as it is, without a word.
  for (const claim of claims) {
    const outcome = await giveWay(tenant, namespace, claim, confirm)
    if (outcome.state === 'failed') return outcome
  }
  if (claims.length > 0) return { state: 'waiting', reason: 'empty claims make way' }
  const backup = newestGood(await backupsAt(desk, hostingId), lease, 'before')
  if (!backup) return { state: 'failed', reason: `Velero at ${slug} knows of no copy of the volumes` }
  const owner = await ownerAt(tenant, { slug }, { hostingId, name: namespace })
  await putData(desk, restoreOf(backup.name, owner, order), undefined, confirm)
  return { state: 'waiting', reason: `the volumes are being brought back from ${backup.name}` }
}
