/** Why pods do not come or are not ready, in the words of the cluster and in a few lines. Pure. */
import { plainText } from './text.ts'

/** As a cluster gives it: nothing of it is certain to be there. */
export interface Told {
  readonly kind: string
  readonly metadata: { readonly name?: string }
  readonly [field: string]: unknown
}

interface Condition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}

interface Ended {
  readonly exitCode?: number
  readonly reason?: string
  readonly message?: string
}

interface Container {
  readonly name?: string
  readonly ready?: boolean
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string }
    readonly running?: object
    readonly terminated?: Ended
  }
  readonly lastState?: { readonly terminated?: Ended }
}

interface EventFields {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly involvedObject?: { readonly kind?: string; readonly name?: string }
}

const linesMost = 5

/** What only events tell: the rest stands in conditions and states, as of now. */
const eventReasons = new Set(['FailedCreate', 'FailedMount', 'FailedAttachVolume', 'Unhealthy'])

/** `late`: the workloads of which not all is ready. One line for pods that lack the same. */
export function troublesOf(late: readonly Told[], pods: readonly Told[], events: readonly Told[]): string[] {
  const unready = pods.filter(isUnready)
  const told = [...late, ...unready.map((pod) => ({ ...pod, kind: 'Pod' }))]
  const byText = new Map<string, string[]>()
  const tell = ({ metadata }: Told, text: string) => {
    const said = plainText(text)
    const names = byText.get(said) ?? []
    if (!names.includes(metadata.name ?? '')) byText.set(said, [...names, metadata.name ?? ''])
  }
  for (const pod of unready) for (const text of troublesOfPod(pod)) tell(pod, text)
  const ofPods = [...byText].map(([text, names]) => `${podsText(names)}: ${text}`)
  const ofWorkloads = late.flatMap((workload) =>
    conditionsOf(workload)
      .filter(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
      .map((condition) => `${nameOf(workload)}: ${plainText(reasonAndMessage(condition))}`),
  )
  return [...new Set([...ofWorkloads, ...ofPods, ...fromEvents(told, events)])].slice(0, linesMost)
}

const nameOf = ({ kind, metadata }: Told) => `${kind} ${metadata.name ?? ''}`

function podsText(names: readonly string[]): string {
  const [first = ''] = names
  return names.length === 1 ? `pod ${first}` : `pod ${first} and ${names.length - 1} more`
}

const statusOf = (object: Told) => (object['status'] ?? {}) as Readonly<Record<string, unknown>>
const conditionsOf = (object: Told) => (statusOf(object)['conditions'] ?? []) as readonly Condition[]

function isUnready(pod: Told): boolean {
  if (statusOf(pod)['phase'] === 'Succeeded') return false
  return !conditionsOf(pod).some(({ type, status }) => type === 'Ready' && status === 'True')
}

function troublesOfPod(pod: Told): string[] {
  const { initContainerStatuses = [], containerStatuses = [] } = statusOf(pod) as Readonly<Record<string, Container[]>>
  const unplaced = conditionsOf(pod).filter(({ type, status }) => type === 'PodScheduled' && status === 'False')
  const states = [...initContainerStatuses, ...containerStatuses].flatMap(troubleOfContainer)
  return [...unplaced.map(reasonAndMessage), ...states]
}

function troubleOfContainer({ name = '', ready, state, lastState }: Container): string[] {
  const { waiting, terminated, running } = state ?? {}
  const ended = terminated ?? lastState?.terminated
  const isCrash = ended !== undefined && (ended.exitCode ?? 0) !== 0
  if (waiting?.reason !== undefined)
    return [isCrash ? `${waiting.reason}: ${name} ${endText(ended)}` : `${reasonAndMessage(waiting)}`]
  if (terminated && isCrash) return [`${name} ${endText(terminated)}`]
  return running && ready === false ? [`${name} runs and is not ready`] : []
}

const endText = ({ exitCode, reason, message }: Ended) =>
  [`ended with exit code ${exitCode}`, ...(reason ? [`(${reason})`] : []), ...(message ? [message.trim()] : [])].join(
    ' ',
  )

const reasonAndMessage = ({ reason, message }: { readonly reason?: string; readonly message?: string }) =>
  [reason, message].filter(Boolean).join(': ')

/** Of what is not ready now: an event outlives what it told of. */
function fromEvents(told: readonly Told[], events: readonly Told[]): string[] {
  const known = new Set(told.map(nameOf))
  return events.flatMap((event) => {
    const { type, reason = '', message, involvedObject: about = {} } = event as EventFields
    if (type !== 'Warning' || !eventReasons.has(reason)) return []
    if (!known.has(`${about.kind ?? ''} ${about.name ?? ''}`)) return []
    const whom = about.kind === 'Pod' ? `pod ${about.name}` : `${about.kind} ${about.name}`
    return [`${whom}: ${plainText(reasonAndMessage({ reason, ...(message !== undefined && { message }) }))}`]
  })
}
