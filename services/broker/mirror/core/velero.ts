/**
 * All volumes of a hosting by Velero, which moves snapshots of them to an object store that both datacenters have: at a failover
 * the claims are made from the newest copy. https://velero.io/docs/main/csi-snapshot-data-movement/
 */
import { compareEpochs, type Epoch, epochText } from '../../../fallback/index.ts'
import type { DataObject, DataState, Declared, Fields, Promotion } from './data.ts'
import { at, instantMs } from './data.ts'

export const veleroVersion = 'velero.io/v1'
/** Where Velero works, by its own default; the desk has rights to it only where somebody gave them. */
export const veleroNamespace = 'velero'
/** Velero makes labels of these, which are no longer than 63 characters. */
const nameOf = (id: string) => `gemeentecloud-${id.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`
export const scheduleName = (hostingId: string) => nameOf(hostingId)
/** A restore is done once for each order, which is the id of a failover. */
export const restoreName = (order: string) => nameOf(order)
/** What Velero writes on all that it brings back. */
const restoreLabel = 'velero.io/restore-name'
/** By which grant of the hosting a copy was made: who ran before goes on copying until it hears of the later one. */
const epochLabel = 'gemeentecloud.nl/epoch'

const usualSchedule = '0 * * * *'
const claims = ['persistentvolumeclaims']

/** Of one site: the namespace of the hosting there owns what is made for it, which goes when that goes. */
export interface Owner {
  readonly hostingId: string
  /** By which its copies are known at both sites. */
  readonly labels: Readonly<Record<string, string>>
  readonly namespace: string
  readonly namespaceUid: string
}

export function scheduleOf(
  { name, schedule = usualSchedule }: Extract<Declared, { kind: 'velero' }>,
  owner: Owner,
  epoch: Epoch,
  paused: boolean,
): DataObject {
  const { metadata } = ownedBy(owner, scheduleName(owner.hostingId))
  const template = {
    metadata: { labels: { ...owner.labels, [epochLabel]: epochText(epoch) } },
    includedNamespaces: [owner.namespace],
    includedResources: [...claims, 'persistentvolumes'],
    snapshotMoveData: true,
    storageLocation: name,
    ttl: '168h0m0s',
  }
  const spec = { schedule, paused, skipImmediately: true, template }
  return { apiVersion: veleroVersion, kind: 'Schedule', metadata, spec }
}

export function restoreOf(backupName: string, owner: Owner, order: string): DataObject {
  const { metadata } = ownedBy(owner, restoreName(order))
  // Not volumes themselves: what a store that others can write to says of a node's disk or a share is not believed.
  const spec = { backupName, includedNamespaces: [owner.namespace], includedResources: claims }
  return { apiVersion: veleroVersion, kind: 'Restore', metadata, spec }
}

function ownedBy({ labels, namespace, namespaceUid }: Owner, name: string): Pick<DataObject, 'metadata'> {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Namespace', name: namespace, uid: namespaceUid }]
  return { metadata: { name, namespace: veleroNamespace, labels, ownerReferences } }
}

/** What is read of a copy, as one of the two sites lists it. */
export interface Backup {
  readonly name: string
  readonly phase: string
  /** What it holds is of when it was begun, in milliseconds since the Unix epoch. */
  readonly begunAtMs: number
  readonly epoch: Epoch
  /** The data of volumes was moved to the store, and not only what the claims are like. */
  readonly isMoved: boolean
  readonly failure: string | null
}

interface Listed {
  readonly metadata: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status?: Fields
}

/** Undefined for one that was not begun. */
export function backupOf({ metadata, status }: Listed): Backup | undefined {
  const begunAtMs = instantMs(status?.['startTimestamp'])
  if (begunAtMs === undefined || metadata.name === undefined) return undefined
  const [invalid] = (status?.['validationErrors'] ?? []) as readonly unknown[]
  const failure = invalid ?? status?.['failureReason']
  return {
    name: metadata.name,
    phase: String(status?.['phase'] ?? ''),
    begunAtMs,
    epoch: epochOf(metadata.labels?.[epochLabel]),
    isMoved: Number(status?.['backupItemOperationsCompleted'] ?? 0) > 0 && !status?.['backupItemOperationsFailed'],
    failure: typeof failure === 'string' ? failure : null,
  }
}

/** The newest that can be brought back, of who held the hosting last before this grant, or up to it. */
export function newestGood(backups: readonly Backup[], epoch: Epoch, how: 'before' | 'up-to'): Backup | undefined {
  const least = how === 'before' ? 1 : 0
  const good = backups.filter(
    (one) => one.phase === 'Completed' && one.isMoved && compareEpochs(epoch, one.epoch) >= least,
  )
  const [last] = good.toSorted((a, b) => compareEpochs(b.epoch, a.epoch) || b.begunAtMs - a.begunAtMs)
  return last
}

function epochOf(text = ''): Epoch {
  const [, generation = '0', counter = '0'] = /^(\d{1,12})\.(\d{1,12})$/.exec(text) ?? []
  return { generation: Number(generation), counter: Number(counter) }
}

const newest = (backups: readonly Backup[]): Backup | undefined =>
  backups.toSorted((a, b) => b.begunAtMs - a.begunAtMs)[0]

const failed = new Set(['Failed', 'PartiallyFailed', 'FailedValidation'])
const isEnded = ({ phase }: Backup) => phase === 'Completed' || failed.has(phase)

/** A copy counts once the other site knows of it: that is where it would be brought back. */
export function veleroState(name: string, here: readonly Backup[], there: readonly Backup[], epoch: Epoch): DataState {
  const good = newestGood(there, epoch, 'up-to')
  const last = newest(here.filter(isEnded))
  const problem =
    last && failed.has(last.phase)
      ? `the last copy of the volumes failed${last.failure === null ? '' : `: ${last.failure}`}`
      : good
        ? null
        : last
          ? !last.isMoved
            ? 'the last copy holds no data: Velero found no class of snapshots for the volumes, or there are none'
            : `the other datacenter knows of no copy: it lacks BackupStorageLocation ${name}, or the same store behind it`
          : 'there is no copy of the volumes yet'
  return { kind: 'velero', name, goodAtMs: good?.begunAtMs ?? null, problem }
}

/** What bringing the volumes back has come to: Velero passes by what stands there already, and says that it is done. */
export function veleroRestored({ metadata: { name }, status }: DataObject, standing: readonly DataObject[]): Promotion {
  const phase = String(status?.['phase'] ?? '')
  if (phase === 'Completed') {
    const other = standing.find(({ metadata: { labels } }) => labels?.[restoreLabel] !== name)
    if (other) return { state: 'failed', reason: `PersistentVolumeClaim ${other.metadata.name} was not brought back` }
    if (standing.length === 0) return { state: 'failed', reason: 'Velero says that it is done, and no claim is there' }
    return { state: 'done', reason: null }
  }
  if (!failed.has(phase)) return { state: 'waiting', reason: 'the volumes are being brought back' }
  const why = at(status, 'failureReason') ?? (at(status, 'validationErrors') as readonly unknown[] | undefined)?.[0]
  return {
    state: 'failed',
    reason: `Velero could not bring the volumes back${why === undefined ? '' : `: ${String(why)}`}`,
  }
}
