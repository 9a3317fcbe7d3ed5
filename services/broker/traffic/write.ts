/** One announcement at one site, written or taken away; in the desk's own name, for a tenant may not say what a name means. */
import {
  type ClusterClient,
  KubernetesError,
  type KubernetesObject,
  type Manifest,
} from '../../shared/kubernetes/index.ts'
import {
  type AnnouncedHosting,
  announcementKind,
  announcementName,
  announcementOf,
  type Endpoint,
} from './core/announce.ts'

const manager = 'gemeentecloud-traffic'

export interface Announced {
  readonly stands: boolean
  readonly problem: string | null
}

/**
 * `confirm` is asked after what stands there was read and before it is changed, which is refused when it is not that any
 * more; and once more after: what came too late is taken away again.
 */
export async function announce(
  client: ClusterClient,
  hosting: AnnouncedHosting & { readonly partyId: string },
  endpoints: readonly Endpoint[],
  confirm: () => Promise<boolean>,
): Promise<Announced> {
  const { name: namespace, partyId } = hosting
  const tenant = client.as(`gc:${partyId}:traffic`, `gc:${partyId}:consumer`)
  const names = [...new Set(endpoints.map(({ ingress }) => ingress))]
  const kind = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }
  const read = await Promise.all(names.map((name) => tenant.read({ ...kind, name, namespace })))
  const { object, problems } = announcementOf(hosting, endpoints, new Map(names.map((name, at) => [name, read[at]])))
  const before = await client.read({ ...announcementKind, name: announcementName, namespace })
  const problem = problems.length === 0 ? null : problems.join('; ')
  // While a new address is awaited, an older one is better than none.
  if (!object || !(await confirm())) return { stands: before !== undefined, problem }
  await put(client, object as KubernetesObject, before)
  if (await confirm()) return { stands: true, problem }
  await withdraw(client, namespace)
  return { stands: false, problem }
}

async function put(client: ClusterClient, object: KubernetesObject, before: KubernetesObject | undefined) {
  const { uid, resourceVersion } = before?.metadata ?? {}
  const metadata = { ...object.metadata, ...(before && { uid, resourceVersion }) }
  await client.apply({ ...object, metadata } as Manifest, { fieldManager: manager, force: before !== undefined })
}

/** Resolves when nothing of it stands there; rejects when the site does not answer. */
export async function withdraw(client: ClusterClient, namespace: string): Promise<void> {
  if (!(await client.read({ apiVersion: 'v1', kind: 'Namespace', name: namespace }))) return
  try {
    await client.remove({ ...announcementKind, name: announcementName, namespace })
  } catch (error) {
    // Where ExternalDNS is not known, nothing is announced.
    if (!(error instanceof KubernetesError) || error.status !== 404) throw error
  }
}
