/**
 * PostgreSQL by CloudNativePG: the standby follows the archive of the active site's Cluster, or is made from it at a failover
 * where no pod may run before. https://cloudnative-pg.io/docs/current/replica_cluster
 */
import type { DataObject, DataState, Fields, Promotion } from './data.ts'
import { at, instantMs } from './data.ts'

export const cnpgVersion = 'postgresql.cnpg.io/v1'
/** The name of the active site's archive among the external clusters. */
const origin = 'gemeentecloud-origin'

export interface Follower {
  readonly mode: 'cold' | 'warm' | 'hot'
  readonly warmReplicas: number
  /** Of the place where it runs, never used before: its own archive is named after it, for two may not write to one. */
  readonly place: string
  readonly namespace: string
}

/** The Cluster at the standby; a reason when the active one leaves it nothing to follow. `replica: false`: made as a primary. */
export function followerOf(
  { metadata: { name }, spec = {} }: DataObject,
  { mode, warmReplicas, place, namespace }: Follower,
  replica: boolean,
): { readonly object: DataObject } | { readonly problem: string } {
  const archive = archiveOf(name, spec)
  if (!archive) return { problem: `Cluster ${name} archives to no object store, so there is nothing to follow` }
  const { bootstrap: _bootstrap, replica: _replica, externalClusters = [], ...same } = spec
  const others = (externalClusters as readonly Fields[]).filter((one) => one['name'] !== origin)
  const instances = Number(spec['instances'] ?? 1)
  const object = {
    apiVersion: cnpgVersion,
    kind: 'Cluster',
    metadata: { name, namespace },
    spec: {
      ...withOwnArchive(same, `${name}-${place}`),
      instances: replica && mode === 'warm' ? Math.min(instances, warmReplicas) : instances,
      bootstrap: { recovery: { source: origin } },
      externalClusters: [...others, { name: origin, ...archive }],
      ...(replica && { replica: { enabled: true, source: origin } }),
    },
  }
  return { object }
}

function archiveOf(name: string, spec: Fields): Fields | undefined {
  const plugin = archiver(spec)
  if (plugin) {
    const { serverName = name, ...parameters } = (plugin['parameters'] ?? {}) as Fields
    return { plugin: { name: plugin['name'], parameters: { ...parameters, serverName } } }
  }
  const store = at(spec, 'backup', 'barmanObjectStore') as Fields | undefined
  return store && { barmanObjectStore: { ...store, serverName: store['serverName'] ?? name } }
}

const archiver = (spec: Fields): Fields | undefined =>
  (spec['plugins'] as readonly Fields[] | undefined)?.find((plugin) => plugin['isWALArchiver'] === true)

function withOwnArchive(spec: Fields, serverName: string): Fields {
  const plugins = (spec['plugins'] as readonly Fields[] | undefined)?.map((plugin) =>
    plugin['isWALArchiver'] === true
      ? { ...plugin, parameters: { ...(plugin['parameters'] as Fields | undefined), serverName } }
      : plugin,
  )
  const store = at(spec, 'backup', 'barmanObjectStore') as Fields | undefined
  return {
    ...spec,
    ...(plugins && { plugins }),
    ...(store && { backup: { ...(spec['backup'] as Fields), barmanObjectStore: { ...store, serverName } } }),
  }
}

/** Whether a Cluster follows another one, so that it may be written over. */
export const isReplica = (cluster: DataObject): boolean => at(cluster, 'spec', 'replica', 'enabled') === true

const healthyPhase = 'Cluster in healthy state'
/** What PostgreSQL is given by the operator when nothing else is asked. */
const archiveMs = 300_000

/** `there`: undefined where no pod of it runs before a failover. */
export function cnpgState(
  name: string,
  here: DataObject | undefined,
  there: DataObject | undefined,
  mode: Follower['mode'],
  nowMs: number,
): DataState {
  const state = (goodAtMs: number | null, problem: string | null): DataState => ({
    kind: 'cnpg',
    name,
    goodAtMs,
    problem,
  })
  if (!here) return state(null, `there is no Cluster ${name} at the active site`)
  const archiving = conditionOf(here, 'ContinuousArchiving')
  const timeout = archiveTimeoutMs(here)
  // While it archives, what is not in the archive yet is younger than the time after which a segment is closed.
  const goodAt = archiving?.['status'] === 'True' ? nowMs - timeout : instantMs(archiving?.['lastTransitionTime'])
  const archived = goodAt ?? null
  if (archiving?.['status'] !== 'True') return state(archived, `Cluster ${name} does not archive now`)
  if (!hasBackup(here)) return state(null, `Cluster ${name} has no base backup yet`)
  if (mode === 'cold') return state(archived, null)
  if (!there) return state(archived, `its replica is not there yet`)
  const phase = there.status?.['phase']
  return state(archived, phase === healthyPhase ? null : `its replica is not healthy: ${phase ?? 'no phase yet'}`)
}

/** Whether there is something to put the archive on; a plugin tells so per method. */
function hasBackup({ status = {} }: DataObject): boolean {
  const methods = Object.keys((status['lastSuccessfulBackupByMethod'] ?? {}) as Fields)
  return methods.length > 0 || [status['firstRecoverabilityPoint'], status['lastSuccessfulBackup']].some(isText)
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''

function conditionOf({ status }: DataObject, type: string): Fields | undefined {
  return (status?.['conditions'] as readonly Fields[] | undefined)?.find((condition) => condition['type'] === type)
}

function archiveTimeoutMs({ spec }: DataObject): number {
  const text = String(at(spec, 'postgresql', 'parameters', 'archive_timeout') ?? '')
  const [, amount, unit = 's'] = /^'?(\d+)\s*(s|min|h|d)?'?$/.exec(text) ?? []
  const unitMs = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'min' | 'h' | 'd']
  return amount === undefined || Number(amount) === 0 ? archiveMs : Number(amount) * unitMs
}

/** What a Cluster that was told to be a primary has come to. */
export function cnpgPromotion(there: DataObject): Promotion {
  const { currentPrimary, phase } = there.status ?? {}
  if (isReplica(there)) return { state: 'waiting', reason: 'it is still told to follow' }
  if (phase === healthyPhase && currentPrimary !== undefined) return { state: 'done', reason: null }
  return { state: 'waiting', reason: `Cluster ${there.metadata.name}: ${phase ?? 'no phase yet'}` }
}
