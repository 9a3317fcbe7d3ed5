/** Which pods of a node are of guarded hostings, and which of them still wait at their gate. */
import { type Epoch, noEpoch } from '../../fallback/index.ts'
import type { GuardedSpace } from '../fallback/guard-wire.ts'
import type { Container, Sandbox } from './cri/wire.ts'
import { activeEpochLabel, gateName, hostingLabel } from './gate.ts'

export interface GuardedPod {
  readonly hosting: string
  readonly sandbox: string
  /** `namespace/name`, for who reads the log. */
  readonly name: string
  readonly label: Epoch
  /** Those that have not ended. */
  readonly live: readonly string[]
  /** The container that waits, while it does. */
  readonly gate?: string
}

export interface Present {
  /** At least one container is past its gate, or could be at any moment. */
  readonly running: ReadonlyMap<string, readonly GuardedPod[]>
  readonly waiting: readonly GuardedPod[]
}

export interface Known {
  /** Undefined until an agent has told: then a pod is believed that says itself of which hosting it is. */
  readonly spaces: readonly GuardedSpace[] | undefined
  /** Sandboxes whose gate was opened, whether or not that can be seen yet. */
  readonly opened: ReadonlySet<string>
  /** Of the gate; any when undefined. */
  readonly gateImage: string | undefined
}

export function sortPods(
  { sandboxes, containers }: { readonly sandboxes: readonly Sandbox[]; readonly containers: readonly Container[] },
  { spaces, opened, gateImage }: Known,
): Present {
  const hostings = spaces && new Map(spaces.map(({ namespace, hosting }) => [namespace, hosting]))
  const isGate = ({ name, images }: Container) =>
    name === gateName && (gateImage === undefined || images.includes(gateImage))
  const inside = Map.groupBy(containers, ({ sandbox }) => sandbox)
  const running = new Map<string, GuardedPod[]>()
  const waiting: GuardedPod[] = []
  for (const { id: sandbox, pod, namespace, isReady, labels } of sandboxes) {
    const hosting = hostings ? hostings.get(namespace) : labels.get(hostingLabel)
    if (hosting === undefined) continue
    const own = inside.get(sandbox) ?? []
    const live = own.filter(({ isLive }) => isLive).map(({ id }) => id)
    if (!isReady && live.length === 0) continue
    const gate = own.findLast((container) => container.isLive && isGate(container))
    const mayBePast =
      opened.has(sandbox) || !labels.has(activeEpochLabel) || own.some((each) => !isGate(each) || !each.isLive)
    const made = { hosting, sandbox, name: `${namespace}/${pod}`, label: epochOf(labels.get(activeEpochLabel)), live }
    const found: GuardedPod = gate ? { ...made, gate: gate.id } : made
    if (mayBePast) running.set(hosting, [...(running.get(hosting) ?? []), found])
    else waiting.push(found)
  }
  return { running, waiting }
}

/** These wait no longer. */
export function passed({ running, waiting }: Present, pods: readonly GuardedPod[]): Present {
  const grown = new Map(running)
  for (const pod of pods) grown.set(pod.hosting, [...(grown.get(pod.hosting) ?? []), pod])
  return { running: grown, waiting: waiting.filter((pod) => !pods.includes(pod)) }
}

/** What cannot be read is the earliest: then the grant alone says whether it may start. */
function epochOf(label: string | undefined): Epoch {
  const [, generation, counter] = /^(\d{1,15})\.(\d{1,15})$/.exec(label ?? '') ?? []
  return generation && counter ? { generation: Number(generation), counter: Number(counter) } : noEpoch
}
