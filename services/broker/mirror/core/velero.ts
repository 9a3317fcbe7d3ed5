/**
 * All volumes of a hosting by Velero, which moves snapshots of them to an object store that both datacenters have: at a failover
 * the claims are made from the newest copy. https://velero.io/docs/main/csi-snapshot-data-movement/
 */
import type { DataObject, DataState, Declared, Fields, Promotion } from './data.ts'
import { at, instantMs } from './data.ts'

export const veleroVersion = 'velero.io/v1'
/** Where Velero works, by its own default; the desk has rights to it only where somebody gave them. */
export const veleroNamespace = 'velero'
export const scheduleName = (namespace: string) => `gemeentecloud-${namespace}`
/** A restore is done once for each order, which names the failover. */
export const restoreName = (namespace: string, order: string) =>
  `${scheduleName(namespace)}-${order.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')}`

const usualSchedule = '0 * * * *'
const volumes = ['persistentvolumeclaims', 'persistentvolumes']

/** Of one site: the namespace of the hosting there owns what is made for it, which goes when that goes. */
export interface Owner {
  /** By which its copies are known at both sites. */
  readonly labels: Readonly<Record<string, string>>
  readonly namespace: string
  readonly namespaceUid: string
}

export function scheduleOf(
  { name, schedule = usualSchedule }: Extract<Declared, { kind: 'velero' }>,
  owner: Owner,
  paused: boolean,
): DataObject {
  const { metadata } = ownedBy(owner, scheduleName(owner.namespace))
  const template = {
    metadata: { labels: owner.labels },
    includedNamespaces: [owner.namespace],
    includedResources: volumes,
    snapshotMoveData: true,
    storageLocation: name,
    ttl: '168h0m0s',
  }
  const spec = { schedule, paused, skipImmediately: false, template }
  return { apiVersion: veleroVersion, kind: 'Schedule', metadata, spec }
}

export function restoreOf(backupName: string, owner: Owner, order: string): DataObject {
  const { metadata } = ownedBy(owner, restoreName(owner.namespace, order))
  const spec = { backupName, includedNamespaces: [owner.namespace], includedResources: volumes, restorePVs: true }
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
  readonly failure: string | null
}

/** Undefined for one that was not begun. */
export function backupOf({ metadata, status }: { metadata: { name?: string }; status?: Fields }): Backup | undefined {
  const begunAtMs = instantMs(status?.['startTimestamp'])
  if (begunAtMs === undefined || metadata.name === undefined) return undefined
  const [invalid] = (status?.['validationErrors'] ?? []) as readonly unknown[]
  const failure = invalid ?? status?.['failureReason']
  return {
    name: metadata.name,
    phase: String(status?.['phase'] ?? ''),
    begunAtMs,
    failure: typeof failure === 'string' ? failure : null,
  }
}

/** The newest that can be brought back. */
export function newestGood(backups: readonly Backup[]): Backup | undefined {
  return newest(backups.filter(({ phase }) => phase === 'Completed'))
}

const newest = (backups: readonly Backup[]): Backup | undefined =>
  backups.toSorted((a, b) => b.begunAtMs - a.begunAtMs)[0]

const failed = new Set(['Failed', 'PartiallyFailed', 'FailedValidation'])
const isEnded = ({ phase }: Backup) => phase === 'Completed' || failed.has(phase)

/** A copy counts once the other site knows of it: that is where it would be brought back. */
export function veleroState(name: string, here: readonly Backup[], there: readonly Backup[]): DataState {
  const good = newestGood(there)
  const last = newest(here.filter(isEnded))
  const problem =
    last && failed.has(last.phase)
      ? `the last copy of the volumes failed${last.failure === null ? '' : `: ${last.failure}`}`
      : good
        ? null
        : last
          ? `the other datacenter knows of no copy: it lacks BackupStorageLocation ${name}, or the same store behind it`
          : 'there is no copy of the volumes yet'
  return { kind: 'velero', name, goodAtMs: good?.begunAtMs ?? null, problem }
}

/** What bringing the volumes back has come to. */
export function veleroRestored({ status }: DataObject): Promotion {
  const phase = String(status?.['phase'] ?? '')
  if (phase === 'Completed') return { state: 'done', reason: null }
  if (!failed.has(phase)) return { state: 'waiting', reason: 'the volumes are being brought back' }
  const why = at(status, 'failureReason') ?? (at(status, 'validationErrors') as readonly unknown[] | undefined)?.[0]
  return {
    state: 'failed',
    reason: `Velero could not bring the volumes back${why === undefined ? '' : `: ${String(why)}`}`,
  }
}
