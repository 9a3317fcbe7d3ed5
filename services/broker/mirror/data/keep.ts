/** The declared data of one hosting: what copies it stands at both sites, and how old the last good copy is. */
import type { KindRef } from '../../../shared/kubernetes/index.ts'
import { reasonOf } from '../../clusters/index.ts'
import { Deposed } from '../../scheduling/index.ts'
import { cnpgState, followerOf, isReplica } from '../core/cnpg.ts'
import type { DataObject, DataState, Declared } from '../core/data.ts'
import { replicationSource, volsyncName, volsyncState, volsyncVersion } from '../core/volsync.ts'
import type { Datacenter } from '../datacenter.ts'
import { keepBackups, scheduleKind } from './backups.ts'
import { claimKind, clusterKind } from './claims.ts'
import type { DataContext } from './context.ts'
import { noteName, noteOf, putData, readData } from './objects.ts'
import { ofOtherReplicas, undeclared, withAsleep } from './tell.ts'

const sourceKind = { apiVersion: volsyncVersion, kind: 'ReplicationSource' }
const noteKind = { apiVersion: 'v1', kind: 'ConfigMap' }

/** What fails for one is told of that one; rejects with `Deposed`, and when the store fails. */
export async function keepData(context: DataContext): Promise<DataState[]> {
  const { data } = context.row
  if (data === null) return undeclared(context)
  const states = await Promise.all(data.map((declared) => keepOne(context, declared)))
  return [...(await withAsleep(context, states)), ...ofOtherReplicas(context, data)]
}

async function keepOne(context: DataContext, declared: Declared): Promise<DataState> {
  try {
    return await keepDeclared(context, declared)
  } catch (error) {
    if (error instanceof Deposed) throw error
    const before = context.known.find(({ kind, name }) => kind === declared.kind && name === declared.name)
    // How old the last copy was that is known of is what counts while nobody answers.
    return { kind: declared.kind, name: declared.name, goodAtMs: before?.goodAtMs ?? null, problem: reasonOf(error) }
  }
}

async function keepDeclared(context: DataContext, declared: Declared): Promise<DataState> {
  const { active, other } = context
  switch (declared.kind) {
    case 'cnpg':
      await known(other, clusterKind, 'CloudNativePG')
      return keepCluster(context, declared.name)
    case 'volsync':
      for (const site of [active, other]) await known(site, sourceKind, 'VolSync')
      return keepVolume(context, declared)
    case 'velero':
      for (const site of [active, other]) await known(site, scheduleKind, 'Velero')
      return keepBackups(context, declared)
  }
}

async function keepCluster(context: DataContext, name: string): Promise<DataState> {
  const { row, here, there, other, confirm, nowMs } = context
  const { name: namespace, mode, warmReplicas, epoch } = row
  const active = await readData(here, clusterKind, name, namespace)
  const replica = await readData(there, clusterKind, name, namespace)
  const state = cnpgState(name, active, replica, mode, nowMs)
  if (!active || row.role !== 'standby') return state
  const follower = followerOf(
    active,
    { mode, warmReplicas, place: `${other.slug}-${epoch}`, namespace },
    mode !== 'cold',
  )
  if ('problem' in follower) return { ...state, problem: follower.problem }
  if (mode === 'cold') {
    await putNote(context, 'cnpg', name, follower.object)
    return state
  }
  if (replica && !isReplica(replica)) {
    const problem = `Cluster ${name} at ${other.slug} ran by itself; it follows again when somebody has removed it there`
    return { ...state, problem }
  }
  await putData(there, follower.object, replica, confirm)
  return state
}

async function keepVolume(context: DataContext, declared: Extract<Declared, { kind: 'volsync' }>): Promise<DataState> {
  const { row, here, there, active, confirm } = context
  const { name: namespace } = row
  const name = volsyncName(declared.name)
  const claim = await readData(here, claimKind, declared.name, namespace)
  const problem = `there is no PersistentVolumeClaim ${declared.name} at ${active.slug}`
  const old = await readData(there, sourceKind, name, namespace)
  // Where it ran before it must not go on copying what is old over what is new.
  if (old && old.spec?.['paused'] !== true) {
    const paused = { ...replicationSource(declared, namespace) }
    await putData(there, { ...paused, spec: { ...paused.spec, paused: true } }, old, confirm)
  }
  if (!claim) return { kind: 'volsync', name: declared.name, goodAtMs: null, problem }
  const source = await readData(here, sourceKind, name, namespace)
  await putData(here, replicationSource(declared, namespace), source, confirm)
  if (row.role === 'standby') await putNote(context, 'volsync', declared.name, prepared(claim))
  return volsyncState(declared.name, source)
}

const prepared = ({ apiVersion, kind, metadata: { name, labels }, spec = {} }: DataObject): DataObject => {
  const { volumeName: _volumeName, ...kept } = spec
  return { apiVersion, kind, metadata: { name, ...(labels && { labels }) }, spec: kept }
}

async function putNote({ row, there, confirm }: DataContext, kind: string, name: string, object: DataObject) {
  const { hostingId: id, name: namespace } = row
  const before = await readData(there, noteKind, noteName(kind, name), namespace)
  await putData(there, noteOf(kind, name, { id, namespace }, object), before, confirm)
}

async function known(datacenter: Datacenter, kind: KindRef, operator: string): Promise<void> {
  const found = await datacenter.resources(kind.apiVersion)
  if (!found.some((one) => one.kind === kind.kind)) throw new Error(`${datacenter.slug} does not know ${operator}`)
}
