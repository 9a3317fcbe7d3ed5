/** What stands of hostings in a cluster whose datacenter has no agent that speaks. */
import type { ClusterClient, KubernetesObject } from '../../shared/kubernetes/index.ts'
import { epochLabel, hostingLabel, listAll, quotaName, roleLabel } from '../clusters/index.ts'
import type { Standing } from './core/standing.ts'

const namespaces = { apiVersion: 'v1', kind: 'Namespace' }
const quotas = { apiVersion: 'v1', kind: 'ResourceQuota' }
export const pods = { apiVersion: 'v1', kind: 'Pod' }

/**
 * By id of the hosting; `epochs` are those that the store knows. Rejects when the cluster does not answer, so that nothing
 * is said of what was not seen.
 */
export async function standingAt(
  client: ClusterClient,
  epochs: ReadonlyMap<string, number>,
): Promise<Map<string, Standing>> {
  const found: KubernetesObject[] = []
  await listAll(client, namespaces, undefined, (namespace) => found.push(namespace), hostingLabel)
  const all = new Map<string, Standing>()
  for (const { metadata } of found) {
    const { name = '', labels = {}, deletionTimestamp } = metadata
    const hosting = labels[hostingLabel] ?? ''
    const known = epochs.get(hosting)
    if (known === undefined) continue
    // A standby that is warm runs pods too; it is not active.
    const runs = labels[roleLabel] !== 'standby' && (await mayRun(client, name, deletionTimestamp !== undefined))
    all.set(hosting, { newerBy: Math.max(0, Number(labels[epochLabel] ?? 0) - known), runs })
  }
  return all
}

async function mayRun(client: ClusterClient, namespace: string, isLeaving: boolean): Promise<boolean> {
  if (!isLeaving && !(await isShut(client, namespace))) return true
  return (await client.list(pods, { namespace, limit: 1 })).items.length > 0
}

/** Its quota lets no pod in. */
export async function isShut(client: ClusterClient, namespace: string): Promise<boolean> {
  const quota = (await client.read({ ...quotas, name: quotaName, namespace })) as
    | { spec?: { hard?: Record<string, string> } }
    | undefined
  return quota?.spec?.hard?.pods === '0'
}
