/**
 * Volumes by VolSync and restic: the active site copies to a repository outside of both, and at a failover the volume is made
 * from it before anything starts. https://volsync.readthedocs.io/en/stable/usage/restic/index.html
 */
import type { DataObject, DataState, Declared, Fields, Promotion } from './data.ts'
import { at, durationMs, instantMs } from './data.ts'

export const volsyncVersion = 'volsync.backube/v1alpha1'
export const volsyncName = (claim: string) => `gemeentecloud-${claim}`
const usualSchedule = '*/15 * * * *'

type Volume = Extract<Declared, { kind: 'volsync' }>

export function replicationSource(
  { name, repository, schedule = usualSchedule }: Volume,
  namespace: string,
): DataObject {
  return {
    apiVersion: volsyncVersion,
    kind: 'ReplicationSource',
    metadata: { name: volsyncName(name), namespace },
    spec: {
      sourcePVC: name,
      trigger: { schedule },
      restic: { repository, copyMethod: 'Snapshot', pruneIntervalDays: 7, retain: { hourly: 24, daily: 7, weekly: 4 } },
    },
  }
}

/** `order` names the failover: what was brought back for another one does not count. */
export function replicationDestination(
  { name, repository }: Volume,
  claim: Fields,
  namespace: string,
  order: string,
): DataObject {
  return {
    apiVersion: volsyncVersion,
    kind: 'ReplicationDestination',
    metadata: { name: volsyncName(name), namespace },
    spec: {
      trigger: { manual: order },
      restic: {
        repository,
        copyMethod: 'Snapshot',
        capacity: at(claim, 'resources', 'requests', 'storage'),
        accessModes: claim['accessModes'],
        ...(claim['storageClassName'] !== undefined && { storageClassName: claim['storageClassName'] }),
      },
    },
  }
}

/** The claim as the tenant has it, filled from the newest image. */
export function filledClaim(
  claim: DataObject,
  namespace: string,
  annotations: Readonly<Record<string, string>>,
): DataObject {
  const { volumeName: _volumeName, dataSource: _dataSource, ...spec } = claim.spec ?? {}
  const dataSourceRef = {
    apiGroup: 'volsync.backube',
    kind: 'ReplicationDestination',
    name: volsyncName(claim.metadata.name),
  }
  const { name, labels } = claim.metadata
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, ...(labels && { labels }), annotations },
    spec: { ...spec, dataSourceRef },
  }
}

export function volsyncState(name: string, source: DataObject | undefined): DataState {
  const state = (goodAtMs: number | null, problem: string | null): DataState => ({
    kind: 'volsync',
    name,
    goodAtMs,
    problem,
  })
  const { lastSyncTime, lastSyncDuration, latestMoverStatus } = source?.status ?? {}
  const endedAt = instantMs(lastSyncTime)
  // What a copy holds is of when it was begun.
  const goodAt = endedAt === undefined ? null : endedAt - (durationMs(lastSyncDuration) ?? 0)
  if (at(latestMoverStatus, 'result') === 'Failed') return state(goodAt, `the last copy of ${name} failed`)
  return state(goodAt, goodAt === null ? `there is no copy of ${name} yet` : null)
}

/** Whether the volume that was ordered can be filled. */
export function restored(destination: DataObject | undefined, order: string): Promotion {
  const { lastManualSync, latestImage, latestMoverStatus } = destination?.status ?? {}
  if (lastManualSync === order && latestImage !== undefined) return { state: 'done', reason: null }
  if (at(latestMoverStatus, 'result') === 'Failed') return { state: 'failed', reason: 'bringing it back failed' }
  return { state: 'waiting', reason: 'it is being brought back' }
}
