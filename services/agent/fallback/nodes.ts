/** Which machines there are, and which of them their owner has declared to be off. */
import type { ClusterClient, KubernetesObject } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'

/** Set by whoever made sure that the machine is off (kubernetes.io/docs/concepts/cluster-administration/node-shutdown). */
const outOfService = 'node.kubernetes.io/out-of-service'

export interface Nodes {
  /** Whether a guard of this name may be answered: there is such a machine, and nobody has said that it is off. */
  isIn(name: string): boolean
  isOff(name: string): boolean
  readonly synced: Promise<void>
}

/** A machine whose Node is gone is not off: its containers do not end by that. */
export function watchNodes(
  client: Pick<ClusterClient, 'informer'>,
  changed: () => void,
  log: Logger,
  signal: AbortSignal,
): Nodes {
  const informer = client.informer<{ readonly isOff: boolean }>(
    { apiVersion: 'v1', kind: 'Node', keep: (node) => ({ isOff: isOutOfService(node) }) },
    {
      changed,
      failed: (error) => log.warn({ err: error }, 'the nodes of this cluster are not followed just now'),
    },
    signal,
  )
  return {
    isIn: (name) => informer.items().get(name)?.isOff === false,
    isOff: (name) => informer.items().get(name)?.isOff === true,
    synced: informer.synced,
  }
}

function isOutOfService(node: KubernetesObject): boolean {
  const { taints = [] } = (node['spec'] ?? {}) as { taints?: readonly { key: string }[] }
  return taints.some(({ key }) => key === outOfService)
}
