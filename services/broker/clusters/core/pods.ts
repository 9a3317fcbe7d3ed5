/** What one pod takes of its node, by the rules of the Kubernetes scheduler. */
import { type Amounts, most, plus, type Quantities, readDemand } from './resources.ts'

interface Container {
  readonly name: string
  readonly restartPolicy?: string
  readonly resources?: { readonly requests?: Quantities }
}

interface ContainerStatus {
  readonly name: string
  readonly allocatedResources?: Quantities
  readonly resources?: { readonly requests?: Quantities }
}

/** The part of a pod that is read here. */
export interface PodLike {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string }
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly overhead?: Quantities
    readonly resources?: { readonly requests?: Quantities }
  }
  readonly status?: {
    readonly phase?: string
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

/** One pod as the inventory keeps it: where it is and what it takes. */
export interface PodUse {
  readonly namespace: string
  readonly node: string
  readonly amounts: Amounts
}

/** What the inventory keeps of a pod; undefined when it takes nothing of a node: not scheduled yet, or finished. */
export function podUse(pod: PodLike): PodUse | undefined {
  const node = pod.spec?.nodeName
  const phase = pod.status?.phase
  if (!node || phase === 'Succeeded' || phase === 'Failed') return undefined
  return { namespace: pod.metadata?.namespace ?? '', node, amounts: podRequests(pod) }
}

/**
 * Init containers run one after another, before the rest: the most any of them needs counts, not their sum. A sidecar (init
 * container that restarts always) stays, so it counts with all that start after it. Requests of the pod as a whole
 * replace the sum. A container that is being resized takes the most of what it asks and what it holds.
 */
export function podRequests({ spec, status }: PodLike): Amounts {
  const held = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((s) => [s.name, s]),
  )
  const requestsOf = (container: Container): Amounts => {
    const now = held.get(container.name)
    const asked = readDemand(container.resources?.requests)
    return most(asked, most(readDemand(now?.allocatedResources), readDemand(now?.resources?.requests)))
  }
  let sidecars: Amounts = {}
  let starting: Amounts = {}
  for (const container of spec?.initContainers ?? []) {
    const own = requestsOf(container)
    if (container.restartPolicy === 'Always') sidecars = plus(sidecars, own)
    starting = most(starting, container.restartPolicy === 'Always' ? sidecars : plus(sidecars, own))
  }
  const running = (spec?.containers ?? []).reduce((sum, container) => plus(sum, requestsOf(container)), sidecars)
  const containers = { ...most(running, starting), ...readDemand(spec?.resources?.requests) }
  return { ...plus(containers, readDemand(spec?.overhead)), pods: 1 }
}
