/** One datacenter as all mirrors share it: one connection, what it serves, how many calls and watches it is asked at a time. */
import type { Clock } from '../../shared/clock.ts'
import { type ClusterClient, KubernetesError } from '../../shared/kubernetes/index.ts'
import { createLimit } from '../../shared/limit.ts'
import { asTenant } from '../clusters/index.ts'

export interface Resource {
  readonly name: string
  readonly kind: string
}

export interface Datacenter {
  readonly id: string
  readonly slug: string
  /** In the desk's own name. */
  readonly desk: ClusterClient
  /** In the name of the tenant, who may in his own namespace what its role grants, and nothing elsewhere. */
  tenant(partyId: string): ClusterClient
  /** Those of namespaces that can be watched; none when the version is not served. */
  resources(apiVersion: string): Promise<readonly Resource[]>
  /** `group/version`; undefined when the group is not served. */
  preferredVersion(group: string): Promise<string | undefined>
  /** The work waits until few enough others are under way. */
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>
  /** Takes `count` watches of what the tunnel bears; undefined when there are not so many left. Returns what gives them back. */
  takeWatches(count: number): (() => void) | undefined
  close(): Promise<void>
}

/** Half of the pipes of a tunnel: the others are for tenants and for the desk's other work. */
const watchesAtMost = 480
const callsAtOnce = 8
/** What a cluster serves changes when its operators install something. */
const rememberMs = 300_000

export function createDatacenter(id: string, slug: string, client: ClusterClient, clock: Clock): Datacenter {
  let free = watchesAtMost
  const remembered = new Map<string, { readonly until: number; readonly answer: Promise<unknown> }>()
  const describe = (path: string): Promise<unknown> => {
    const before = remembered.get(path)
    if (before && clock.monotonic() < before.until) return before.answer
    const answer = unlessNone(client.get(path))
    remembered.set(path, { until: clock.monotonic() + rememberMs, answer })
    answer.catch(() => remembered.delete(path))
    return answer
  }
  return {
    id,
    slug,
    desk: client,
    tenant: (partyId) => asTenant(client, partyId),
    resources: async (apiVersion) => {
      const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      const { resources = [] } = ((await describe(path)) ?? {}) as { resources?: readonly Described[] }
      return resources.filter(
        ({ name, namespaced, verbs = [] }) => namespaced && !name.includes('/') && verbs.includes('watch'),
      )
    },
    preferredVersion: async (group) => {
      const found = (await describe(`/apis/${group}`)) as { preferredVersion?: { groupVersion?: string } } | undefined
      return found?.preferredVersion?.groupVersion
    },
    limit: createLimit(callsAtOnce),
    takeWatches: (count) => {
      if (count > free) return undefined
      free -= count
      return () => {
        free += count
      }
    },
    close: () => client.close(),
  }
}

interface Described extends Resource {
  readonly namespaced: boolean
  readonly verbs?: readonly string[]
}

async function unlessNone(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined
    throw error
  }
}
