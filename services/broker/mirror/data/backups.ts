/** The volumes of a hosting as Velero copies them: its schedule at the active site, its copies as both sites list them. */
import type { ClusterClient } from '../../../shared/kubernetes/index.ts'
import { hostingLabel, listAll } from '../../clusters/index.ts'
import type { DataState, Declared } from '../core/data.ts'
import {
  type Backup,
  backupOf,
  type Owner,
  scheduleName,
  scheduleOf,
  veleroNamespace,
  veleroState,
  veleroVersion,
} from '../core/velero.ts'
import type { Datacenter } from '../datacenter.ts'
import { lookAtNamespace } from '../witness.ts'
import type { DataContext } from './context.ts'
import { putData, readData } from './objects.ts'

export const scheduleKind = { apiVersion: veleroVersion, kind: 'Schedule' }

type Volumes = Extract<Declared, { kind: 'velero' }>

/** Rejects when a site does not answer, or does not let the desk at its Velero. */
export async function keepBackups(context: DataContext, declared: Volumes): Promise<DataState> {
  const { row, active, other, here, there, confirm } = context
  // Where it ran before it must not go on copying what is old: the newest copy is what a failover brings back.
  const name = scheduleName(row.hostingId)
  // What has yet to be brought back is empty, or old: no copy of that may pass for the newest.
  const { lease, isPromoting } = await context.grant()
  const old = await readData(other.desk, scheduleKind, name, veleroNamespace)
  if (old && old.spec?.['paused'] !== true)
    await putData(other.desk, scheduleOf(declared, await ownerAt(there, other, row), lease, true), old, confirm)
  const schedule = await readData(active.desk, scheduleKind, name, veleroNamespace)
  if (schedule || !isPromoting) {
    const wanted = scheduleOf(declared, await ownerAt(here, active, row), lease, isPromoting)
    await putData(active.desk, wanted, schedule, confirm)
  }
  const copiesHere = await backupsAt(active.desk, row.hostingId)
  return veleroState(declared.name, copiesHere, await backupsAt(other.desk, row.hostingId), lease)
}

/** Rejects while the namespace of the hosting is not there. */
export async function ownerAt(
  tenant: ClusterClient,
  { slug }: Pick<Datacenter, 'slug'>,
  { hostingId, name: namespace }: Pick<DataContext['row'], 'hostingId' | 'name'>,
): Promise<Owner> {
  const witness = await lookAtNamespace(tenant, namespace, hostingId, slug)
  if (!witness.ok) throw new Error(witness.why)
  return { hostingId, labels: { [hostingLabel]: hostingId }, namespace, namespaceUid: witness.uid }
}

/** The copies of a hosting that a site knows of, of which it made some itself. */
export async function backupsAt(desk: ClusterClient, hostingId: string): Promise<Backup[]> {
  const backups: Backup[] = []
  const kind = { apiVersion: veleroVersion, kind: 'Backup' }
  const labelSelector = `${hostingLabel}=${hostingId}`
  await listAll(desk, kind, veleroNamespace, (object) => backups.push(...present(backupOf(object))), labelSelector)
  return backups
}

const present = <T>(one: T | undefined): T[] => (one === undefined ? [] : [one])
