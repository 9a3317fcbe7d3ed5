/** Which of the agent's replicas is the active one: a Lease in its own namespace, held for as long as it is renewed. */

import type { Clock } from '../shared/clock.ts'
import { rfc3339 } from '../shared/clock.ts'
import { type ClusterClient, KubernetesError, type KubernetesObject } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'

export interface LeaseOptions {
  readonly client: ClusterClient
  readonly namespace: string
  readonly name: string
  /** This replica. */
  readonly holder: string
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

const heldMs = 15_000
const renewMs = 4_000
const fieldManager = 'gemeentecloud-agent'

interface Spec {
  readonly holderIdentity?: string
  readonly renewTime?: string
}

/**
 * Runs `active` whenever this replica holds the lease; its signal aborts when the lease could not be renewed for longer than
 * it is held, and at the stop, when the lease is given up at once. Both replicas active for a moment would do no harm: the
 * desk keeps several connections of a datacenter.
 */
export async function whileHeld(options: LeaseOptions, active: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { clock, log, signal } = options
  let term: { readonly end: AbortController; readonly done: Promise<void> } | undefined
  let renewedAt = Number.NEGATIVE_INFINITY
  const watch = createWatch(clock)
  while (!signal.aborted) {
    const holds = await renew(options, watch).catch((error: unknown) => {
      log.warn({ err: error }, 'the lease could not be renewed')
      return clock.monotonic() - renewedAt < heldMs - renewMs ? term !== undefined : false
    })
    if (holds && !term) {
      const end = new AbortController()
      term = { end, done: active(AbortSignal.any([signal, end.signal])) }
    }
    if (holds) renewedAt = clock.monotonic()
    if (!holds && term) {
      term.end.abort('the lease is held by another')
      await term.done
      term = undefined
    }
    await clock.sleep(renewMs, signal).catch(() => undefined)
  }
  // Before what is under way is finished, so that another takes what is new meanwhile.
  if (term) await release(options).catch((error) => log.warn({ err: error }, 'the lease was not given up; it runs out'))
  await term?.done
}

/** By what is seen here: the clocks of two machines need not agree. */
function createWatch(clock: Clock) {
  let seen = ''
  let since = clock.monotonic()
  return {
    /** Whether somebody else's lease has not been renewed for as long as it is held. */
    isOver({ holderIdentity = '', renewTime = '' }: Spec): boolean {
      const now = `${holderIdentity} ${renewTime}`
      if (now !== seen) since = clock.monotonic()
      seen = now
      return holderIdentity === '' || clock.monotonic() - since > heldMs
    },
  }
}

const kind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
type Lease = KubernetesObject & { readonly spec?: Spec }

async function release({ client, namespace, name, holder }: LeaseOptions): Promise<void> {
  const lease = (await client.read({ ...kind, name, namespace })) as Lease | undefined
  if (lease?.spec?.holderIdentity !== holder) return
  const { resourceVersion } = lease.metadata
  const spec = { holderIdentity: '' }
  await client.patch({ ...kind, name, namespace }, { metadata: { resourceVersion }, spec }, { fieldManager })
}

async function renew(options: LeaseOptions, watch: ReturnType<typeof createWatch>): Promise<boolean> {
  const { client, namespace, name, holder, clock } = options
  const spec = { holderIdentity: holder, leaseDurationSeconds: heldMs / 1000, renewTime: micro(clock.now()) }
  try {
    const lease = (await client.read({ ...kind, name, namespace })) as Lease | undefined
    if (!lease) {
      await client.create({ ...kind, metadata: { name, namespace }, spec })
      return true
    }
    if (lease.spec?.holderIdentity !== holder && !watch.isOver(lease.spec ?? {})) return false
    const { resourceVersion } = lease.metadata
    await client.patch({ ...kind, name, namespace }, { metadata: { resourceVersion }, spec }, { fieldManager })
    return true
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 409) return false
    throw error
  }
}

/** With the six digits that Kubernetes wants. */
const micro = (at: number) => rfc3339(at).replace('Z', '000Z')
