/** One placement in one cluster: made and mended, or taken away. Each step may be the last before a crash. */
import { amountOf, isAmount } from '../../shared/quantity.ts'
import { type Cluster, kinds, reasonOf, refusalOf } from './cluster.ts'
import {
  desiredObjects,
  footingOf,
  hostingLabel,
  placementAnnotation,
  quotaName,
  quotaOf,
  type WantedPlacement,
} from './core/desired.ts'
import { covers, type KubernetesObject } from './core/objects.ts'
import type { Managed } from './managed.ts'

export type Standing = { readonly observed: 'ready' | 'provisioning' | 'conflict'; readonly reason: string | null }

export interface Ensured extends Standing {
  /** Something had to be written. */
  readonly changed: boolean
}

/**
 * Brings the objects of a placement to what they should be; what already is, by the watches, costs no call. What the
 * cluster refuses becomes the reason; rejects when it does not answer.
 */
export async function ensurePlacement(
  cluster: Cluster,
  managed: Pick<Managed, 'get'>,
  placement: WantedPlacement,
): Promise<Ensured> {
  const objects = desiredObjects(placement)
  const [namespace, ...inside] = objects
  const standing = managed.get(namespace)
  const isSound =
    standing?.metadata.deletionTimestamp === undefined && footingOf(standing, placement).verdict === 'ours'
  if (isSound && objects.every((object) => covers(managed.get(object), object)))
    return { observed: 'ready', reason: null, changed: false }

  try {
    const before = await cluster.get({ ...kinds.namespace, name: placement.name })
    const footing = footingOf(before, placement)
    if (footing.verdict === 'conflict') return { observed: 'conflict', reason: footing.reason, changed: false }
    if (footing.verdict === 'terminating')
      return { observed: 'provisioning', reason: `namespace ${placement.name} is still being removed`, changed: false }
    const uid = footing.verdict === 'ours' ? footing.uid : (await claimNamespace(cluster, namespace)).metadata.uid
    // With its uid the apply fails when another namespace has taken the name since it was looked at.
    if (!covers(before, namespace))
      await cluster.apply({ ...namespace, metadata: { ...namespace.metadata, ...(uid !== undefined && { uid }) } })
    for (const object of inside) if (!covers(managed.get(object), object)) await applyInside(cluster, object)
    return { observed: 'ready', reason: null, changed: true }
  } catch (error) {
    if (refusalOf(error) === undefined) throw error
    return { observed: 'provisioning', reason: `the cluster refused: ${reasonOf(error)}`, changed: true }
  }
}

/** Whether the cluster itself has the quota as it is to be, and counts no more than that as used. */
export async function usesNoMore(cluster: Cluster, placement: WantedPlacement): Promise<boolean> {
  const hard = quotaOf(placement)
  const ref = { ...kinds.resourceQuota, name: quotaName, namespace: placement.name }
  const { status = {} } = ((await cluster.get(ref)) ?? {}) as { status?: { hard?: Quantities; used?: Quantities } }
  const isTaken = (what: string) => what === 'pods' || what.includes('requests.')
  return Object.entries(hard).every(([what, most]) => {
    if (!isTaken(what)) return true
    const [counted, used] = [status.hard?.[what], status.used?.[what]]
    return counted !== undefined && used !== undefined && isAtMost(what, counted, most) && isAtMost(what, used, most)
  })
}

type Quantities = Readonly<Record<string, string>>

function isAtMost(what: string, text: string, most: string): boolean {
  const resource = what === 'requests.cpu' ? 'cpu' : 'memory'
  return isAmount(resource, text) && amountOf(resource, text, 'up') <= amountOf(resource, most, 'up')
}

/** A plain creation: it fails where an apply would adopt a namespace that came in between. */
function claimNamespace(cluster: Cluster, { apiVersion, kind, metadata }: KubernetesObject): Promise<KubernetesObject> {
  const label = metadata.labels?.[hostingLabel] ?? ''
  return cluster.create({ apiVersion, kind, metadata: { name: metadata.name, labels: { [hostingLabel]: label } } })
}

/** The role of a binding cannot be changed, so a binding to another role makes way first. */
async function applyInside(cluster: Cluster, object: KubernetesObject): Promise<void> {
  try {
    await cluster.apply(object)
  } catch (error) {
    if (object.kind !== 'RoleBinding' || refusalOf(error) !== 422) throw error
    const { name, namespace } = object.metadata
    const ref = {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      ...(namespace !== undefined && { namespace }),
    }
    const standing = await cluster.get(ref)
    if (standing?.metadata.uid) await cluster.remove(ref, standing.metadata.uid)
    await cluster.apply(object)
  }
}

export type Withdrawn =
  | { readonly absent: true }
  | ({ readonly absent: false } & { readonly reason: string; readonly observed?: 'conflict' })

/**
 * Takes a placement away. Absent only when the API server says so, or says that the name is now another's: until then
 * what it may still use stays claimed. What the cluster refuses becomes the reason; rejects when it does not answer.
 */
export async function withdrawPlacement(cluster: Cluster, placement: WantedPlacement): Promise<Withdrawn> {
  const ref = { ...kinds.namespace, name: placement.name }
  try {
    const namespace = await cluster.get(ref)
    const footing = footingOf(namespace, placement)
    switch (footing.verdict) {
      case 'free':
        return { absent: true }
      case 'conflict':
        return isAnothers(namespace, placement)
          ? { absent: true }
          : { absent: false, observed: 'conflict', reason: footing.reason }
      case 'ours':
        await cluster.remove(ref, footing.uid)
        return { absent: false, reason: 'being removed' }
      case 'terminating':
        return { absent: false, reason: terminatingReason(namespace) }
    }
  } catch (error) {
    if (refusalOf(error) === undefined) throw error
    return { absent: false, reason: `the cluster refused: ${reasonOf(error)}` }
  }
}

/** A namespace that carries the mark of this placement is ours, even when its labels name another hosting or a newer epoch. */
function isAnothers(namespace: KubernetesObject | undefined, placement: WantedPlacement): boolean {
  const { labels = {}, annotations = {} } = namespace?.metadata ?? {}
  return labels[hostingLabel] !== placement.hostingId && annotations[placementAnnotation] !== placement.id
}

function terminatingReason(namespace: KubernetesObject | undefined): string {
  const { conditions = [] } = (namespace?.status ?? {}) as { conditions?: { status?: string; message?: string }[] }
  const remaining = conditions.filter((c) => c.status === 'True' && c.message).map((c) => reasonOf(c.message))
  return remaining.length > 0 ? `being removed: ${remaining[0]}` : 'being removed'
}
