/** Which replica peers reach by the Service of the agent: the active one alone, written where Kubernetes looks for it. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'

export interface Published {
  readonly namespace: string
  /** Of the Service, which has no selector. */
  readonly service: string
  readonly address: string
  readonly port: number
}

interface Kit {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Tries until it is written. What an earlier active one wrote is replaced; what this one wrote, by the next. */
export async function publish(
  client: Pick<ClusterClient, 'apply'>,
  { namespace, service, address, port }: Published,
  { clock, random, log, signal }: Kit,
): Promise<void> {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: service, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: isIPv6(address) ? 'IPv6' : 'IPv4',
    ports: [{ name: 'peers', protocol: 'TCP', port }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  }
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await client.apply(slice, { fieldManager: 'gemeentecloud-agent', force: true })
      return
    } catch (error) {
      log.warn({ err: error, failures }, 'peers do not find this agent yet')
      await clock.sleep(backoffMs(failures, random), signal).catch(() => undefined)
    }
  }
}
