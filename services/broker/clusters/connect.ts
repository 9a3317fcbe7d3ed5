/** From a kubeconfig to a cluster: what is kept of one, and the connection that is made with it. */
import type { Kit } from '../../shared/kit.ts'
import {
  type ClusterClient,
  type Connection,
  connectCluster,
  connectThrough,
  createAddressGuard,
  type EndpointPolicy,
  endpointRefusal,
  type Limits,
  type OpenPipe,
  sanitizeKubeconfig,
  TooLarge,
} from '../../shared/kubernetes/index.ts'
import { type FieldError, Problem } from '../../shared/problem.ts'
import type { Cluster, Watch, WatchOptions } from './cluster.ts'
import { fieldManager } from './core/desired.ts'
import type { KubernetesObject } from './core/objects.ts'

/** Which clusters may be connected. */
export interface ConnectionPolicy extends EndpointPolicy {
  /** This broker runs simulated clusters, so connections to such are taken. */
  readonly sandboxClusters?: boolean
  /** How much of a cluster is taken, where it differs from the usual. */
  readonly limits?: Partial<Limits>
}

/** Takes of a kubeconfig what is safe: address, CA and credential. Throws `kubeconfig-refused` with what is not, by pointer. */
export async function acceptKubeconfig(submitted: string, policy: EndpointPolicy): Promise<Connection> {
  const sanitized = sanitizeKubeconfig(submitted, policy)
  if (!sanitized.ok) throw refused(sanitized.errors)
  const reason = await endpointRefusal(sanitized.connection.server, createAddressGuard(policy))
  if (reason !== undefined) throw refused([{ pointer: '/clusters', message: reason }])
  return sanitized.connection
}

function refused(errors: readonly FieldError[]): Problem {
  const placed = errors.map(({ pointer, message }) => ({ pointer: `/kubeconfig${pointer}`, message }))
  return new Problem('kubeconfig-refused', placed.map((e) => `${e.pointer} ${e.message}`).join('; '), placed)
}

/** Opens what was accepted. Whether anybody answers shows with the first call. */
export function openClient(
  connection: Connection,
  { clock, random }: Pick<Kit, 'clock' | 'random'>,
  { allowedAddresses, refusedAddresses = [], limits = {} }: ConnectionPolicy,
): Promise<ClusterClient> {
  return connectCluster(connection, { allowedAddresses, refusedAddresses, limits, clock, random })
}

/** The same through the tunnel: the address, the credential and what they allow are the agent's own affair. */
export function clientThrough(
  open: OpenPipe,
  name: string,
  { clock, random }: Pick<Kit, 'clock' | 'random'>,
  { limits = {} }: ConnectionPolicy,
): ClusterClient {
  return connectThrough(open, name, { limits, clock, random })
}

export function clusterOf(client: ClusterClient): Cluster {
  return {
    version: async () => (await client.version()).gitVersion,
    get: async (ref) => (await client.read(ref)) as KubernetesObject | undefined,
    create: async (object) => (await client.create(object)) as unknown as KubernetesObject,
    apply: async (object) => (await client.apply(object, { fieldManager, force: true })) as unknown as KubernetesObject,
    remove: async (ref, uid) => {
      await client.remove(ref, { preconditions: { uid } })
    },
    watch: <T>({ apiVersion, kind, labelSelector, strip, changed, gone }: WatchOptions<T>): Watch => {
      const ended = new AbortController()
      const keep = (object: unknown) => (strip ? strip(object as T) : (object as T))
      const options = { apiVersion, kind, keep, ...(labelSelector !== undefined && { labelSelector }) }
      let trouble: string | undefined
      const handlers = {
        changed,
        gone,
        failed: (error: Error) => {
          if (error instanceof TooLarge) trouble = error.message
        },
        synced: () => {
          trouble = undefined
        },
      }
      const informer = client.informer<T>(options, handlers, ended.signal)
      return {
        synced: informer.synced.catch(() => undefined),
        heardAt: informer.heardAt,
        trouble: () => trouble,
        stop: () => ended.abort(),
      }
    },
    close: client.close,
  }
}
