/** Brings declared data to life where a hosting now runs, with nothing of the site that is lost. */
import type { Kit } from '../../../shared/kit.ts'
import type { ClusterClient } from '../../../shared/kubernetes/index.ts'
import { asTenant, type Reached } from '../../clusters/index.ts'
import { cnpgPromotion, isReplica } from '../core/cnpg.ts'
import type { Declared, Promotion } from '../core/data.ts'
import { filledClaim, replicationDestination, restored, volsyncName, volsyncVersion } from '../core/volsync.ts'
import { selectPromoted } from '../store.ts'
import { type Back, bringBack } from './bring-back.ts'
import { claimKind, clusterKind, giveWay } from './claims.ts'
import { putData, readData, readNote } from './objects.ts'

/** For which failover a claim was filled. */
const orderAnnotation = 'gemeentecloud.nl/filled-for'
const destinationKind = { apiVersion: volsyncVersion, kind: 'ReplicationDestination' }

/**
 * One step towards data that can be used where the placement of role `primary` is now; asked again while it says `waiting`.
 * Each step may be repeated. `order` names the failover, such as the id of its operation; `confirm` says whether that still is to
 * bring it back, and is asked before anything is written. Rejects when the site does not answer.
 */
export async function promoteData(
  kit: Pick<Kit, 'database'>,
  reach: (datacenter: Reached) => Promise<ClusterClient>,
  hostingId: string,
  order: string,
  confirm: () => Promise<boolean>,
): Promise<Promotion> {
  const found = await selectPromoted(kit.database, hostingId)
  if (!found?.data || found.data.length === 0) return { state: 'done', reason: null }
  const client = await reach(found.active)
  try {
    const tenant = asTenant(client, found.partyId)
    const site = {
      desk: client,
      tenant,
      hostingId,
      namespace: found.name,
      slug: found.active.slug,
      order,
      lease: found.lease,
      confirm,
    }
    const outcomes = await Promise.all(found.data.map((declared) => promoteOne(site, declared)))
    const worst = ['failed', 'waiting'].flatMap((state) => outcomes.filter((outcome) => outcome.state === state))
    return worst[0] ?? { state: 'done', reason: null }
  } finally {
    await client.close()
  }
}

const calledOff: Promotion = { state: 'waiting', reason: 'it is not to be brought back any more' }

function promoteOne(site: Back, declared: Declared): Promise<Promotion> {
  switch (declared.kind) {
    case 'cnpg':
      return promoteCluster(site, declared.name)
    case 'volsync':
      return promoteVolume(site, declared)
    case 'velero':
      return bringBack(site)
  }
}

async function promoteCluster({ tenant, namespace, confirm }: Back, name: string): Promise<Promotion> {
  const cluster = await readData(tenant, clusterKind, name, namespace)
  if (!cluster) {
    const noted = await readNote(tenant, 'cnpg', name, namespace)
    if (!noted) return { state: 'failed', reason: `nothing is known here of Cluster ${name}` }
    if (!(await putData(tenant, noted, undefined, confirm))) return calledOff
    return { state: 'waiting', reason: `Cluster ${name} is being made from the archive` }
  }
  if (isReplica(cluster)) {
    if (!(await confirm())) return calledOff
    const ref = { ...clusterKind, name, namespace }
    await tenant.patch(ref, { spec: { replica: { enabled: false } } }, { fieldManager: 'gemeentecloud-data' })
    return { state: 'waiting', reason: `Cluster ${name} is being promoted` }
  }
  return cnpgPromotion(cluster)
}

async function promoteVolume(
  { tenant, namespace, order, confirm }: Back,
  declared: Extract<Declared, { kind: 'volsync' }>,
): Promise<Promotion> {
  const { name } = declared
  const claim = await readData(tenant, claimKind, name, namespace)
  if (claim?.metadata.annotations?.[orderAnnotation] === order) return { state: 'done', reason: null }
  if (claim) return giveWay(tenant, namespace, claim, confirm)
  const noted = await readNote(tenant, 'volsync', name, namespace)
  if (!noted) return { state: 'failed', reason: `nothing is known here of PersistentVolumeClaim ${name}` }
  const before = await readData(tenant, destinationKind, volsyncName(name), namespace)
  const destination = replicationDestination(declared, noted.spec ?? {}, namespace, order)
  if (!(await putData(tenant, destination, before, confirm))) return calledOff
  const outcome = restored(before, order)
  if (outcome.state !== 'done') return outcome
  const claimed = await putData(tenant, filledClaim(noted, namespace, { [orderAnnotation]: order }), undefined, confirm)
  return claimed ? outcome : calledOff
}
