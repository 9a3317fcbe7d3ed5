/** Which namespaces are of hostings: as a watch of the agent's own tells, and asked again where that may be late. */
import type { ClusterClient, KubernetesObject } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'

export const hostingLabel = 'gemeentecloud.nl/hosting'

/** What the desk wrote on the namespace of a hosting, as far as an agent goes by it. */
export interface Space {
  readonly hosting: string
  /** Absent on what was made before the desk wrote it. */
  readonly activity: string | undefined
  readonly role: string | undefined
  /** The last epoch that this datacenter ran it by. */
  readonly activeEpoch: string | undefined
}

export interface Namespaces {
  /** `absent`: the API server says that there is none of this name. */
  find(name: string): Promise<'ours' | 'other' | 'absent'>
  /** By name, those of hostings. */
  spaces(): ReadonlyMap<string, Space>
  /** Calls back with the hosting of each namespace that comes, goes or changes. */
  follow(changed: (hosting: string) => void): void
  readonly synced: Promise<void>
}

export function watchNamespaces(client: ClusterClient, log: Logger, signal: AbortSignal): Namespaces {
  const followers: ((hosting: string) => void)[] = []
  const tell = (space: Space) => {
    for (const changed of followers) changed(space.hosting)
  }
  const informer = client.informer<Space>(
    { apiVersion: 'v1', kind: 'Namespace', labelSelector: hostingLabel, keep: spaceOf },
    {
      changed: tell,
      gone: tell,
      failed: (error) => log.warn({ err: error }, 'the namespaces of this cluster are not followed just now'),
    },
    signal,
  )
  return {
    synced: informer.synced,
    spaces: informer.items,
    follow: (changed) => void followers.push(changed),
    async find(name) {
      if (informer.items().has(name)) return 'ours'
      const found = await client.read({ apiVersion: 'v1', kind: 'Namespace', name })
      if (!found) return 'absent'
      return found.metadata.labels?.[hostingLabel] === undefined ? 'other' : 'ours'
    },
  }
}

function spaceOf({ metadata: { labels, annotations } }: KubernetesObject): Space {
  return {
    hosting: labels?.[hostingLabel] ?? '',
    activity: labels?.['gemeentecloud.nl/activity'],
    role: labels?.['gemeentecloud.nl/role'],
    activeEpoch: annotations?.['gemeentecloud.nl/active-epoch'],
  }
}
