/** Tells when a gate that was shut is gone or changed, whoever did that. */
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'
import { gateSelector } from './workloads.ts'

export function watchGates(
  client: Pick<ClusterClient, 'informer'>,
  doubted: (namespace: string) => void,
  log: Logger,
  signal: AbortSignal,
): void {
  client.informer<string>(
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      labelSelector: gateSelector,
      keep: ({ metadata }) => metadata.namespace ?? '',
    },
    {
      changed: (namespace, before) => before !== undefined && doubted(namespace),
      gone: doubted,
      failed: (error) => log.warn({ err: error }, 'the gates of this cluster are not followed just now'),
    },
    signal,
  )
}
