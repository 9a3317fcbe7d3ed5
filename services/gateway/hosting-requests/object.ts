/** A hosting as the object that Kubernetes clients read: what was asked, and where that stands. Pure. */
import { createHash } from 'node:crypto'
import type { FallbackStatus, HostingState } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { fallbackStatusOf, stateOf } from '../../shared/hosting-state.ts'
import { apiVersion, finalizer, kind } from './kind.ts'
import type { HostingRequestSpec } from './schema.ts'
import type { RequestRow } from './store.ts'
import { nothingWritten } from './written.ts'

type Json = Record<string, unknown>

export interface HostingRequest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Json & {
    readonly name: string
    readonly uid: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: HostingRequestSpec
  readonly status: Status
}

interface Status extends Json {
  readonly state: HostingState
  readonly fallbackStatus: FallbackStatus
  readonly primary?: string
  readonly standby?: string
}

/** Of the datacenters that refused, so many are told; what each said is in the API. */
const mostRefusals = 20

/** Everything but the version, which is that of the list it stands in. */
export function objectOf(row: RequestRow): HostingRequest {
  const { labels, annotations, managers } = row.written ?? nothingWritten
  const ending = row.wanted === 'ending'
  return {
    apiVersion,
    kind,
    metadata: {
      name: row.name,
      uid: uidOf(row.id),
      generation: 1,
      creationTimestamp: instant(row.createdMs),
      ...(ending && { deletionTimestamp: instant(row.updatedMs), deletionGracePeriodSeconds: 0 }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      finalizers: [finalizer],
      ...(Object.keys(managers).length > 0 && { managedFields: Object.entries(managers).map(managedFields) }),
    },
    spec: specOf(row),
    status: statusOf(row),
  }
}

export function specOf(row: Pick<RequestRow, 'system' | 'systemId' | 'spec' | 'startsMs' | 'endsMs'>) {
  const period = { start: instant(row.startsMs), ...(row.endsMs !== null && { end: instant(row.endsMs) }) }
  return { systemSlug: row.system, systemId: row.systemId, ...row.spec, period }
}

/** To the second where it is one, as people write it. */
export const instant = (ms: number) => rfc3339(ms).replace(/\.000Z$/, 'Z')

/** A uid in the form that clients know. */
export function uidOf(hostingId: string): string {
  const bytes = createHash('sha256').update(`hosting request ${hostingId}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function managedFields([manager, { labels, annotations }]: [
  string,
  { labels: readonly string[]; annotations: readonly string[] },
]): Json {
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [`f:${name}`, {}]))
  const fieldsV1 = {
    'f:metadata': { 'f:labels': named(labels), 'f:annotations': named(annotations) },
    'f:spec': {},
  }
  return { manager, operation: 'Apply', apiVersion, fieldsType: 'FieldsV1', fieldsV1 }
}

function statusOf(row: RequestRow): Status {
  const truth = {
    wanted: row.wanted,
    scheduling: row.scheduling,
    fallbackMode: row.spec.fallback.mode,
    broken: row.broken !== null,
    placements: row.placements.map(({ role, observed, contact }) => ({
      role,
      observed,
      reachable: contact === 'reachable',
    })),
  }
  const at = (role: string) => row.placements.find((placement) => placement.role === role)?.datacenter
  const state = stateOf(truth)
  const [primary, standby] = [at('primary'), at('standby')]
  const refused = state === 'unschedulable' ? (row.decision?.refusals ?? []) : []
  return {
    observedGeneration: 1,
    state,
    fallbackStatus: fallbackStatusOf(truth),
    hostingId: row.id,
    ...(primary !== undefined && { namespace: row.name, primary }),
    ...(standby !== undefined && { standby }),
    ...(row.price !== null && { priceCentsPerMonth: row.price }),
    ...(refused.length > 0 && {
      refusals: refused.slice(0, mostRefusals).map(({ datacenter, role, rule, message }) => ({
        datacenter,
        role,
        rule,
        message,
      })),
    }),
    conditions: conditionsOf(row, state, primary),
  }
}

function conditionsOf(row: RequestRow, state: HostingState, primary: string | undefined): Json[] {
  const { decision } = row
  const condition = (type: string, holds: boolean, reason: string, message: string, since?: string) => ({
    type,
    status: holds ? 'True' : 'False',
    observedGeneration: 1,
    ...(since !== undefined && { lastTransitionTime: since }),
    reason,
    message,
  })
  const reason = state.charAt(0).toUpperCase() + state.slice(1)
  const decided = decision ? decision.decidedAt.replace(/\.\d+Z$/, 'Z') : instant(row.createdMs)
  const words = decision?.summary ?? 'not decided yet'
  const seen = row.placements.find(({ role }) => role === 'primary')
  return [
    condition('Accepted', true, 'Accepted', 'the desk has the request', instant(row.createdMs).replace(/\.\d+Z$/, 'Z')),
    condition('Placed', primary !== undefined, primary !== undefined ? 'Placed' : reason, words, decided),
    // When it came to this is not kept; whoever watches sees it.
    condition('Ready', state === 'running', reason, readyWords[state](seen, words)),
  ]
}

type Seen = RequestRow['placements'][number] | undefined
const readyWords: Readonly<Record<HostingState, (seen: Seen, words: string) => string>> = {
  pending: () => 'waits for the decision of the desk',
  unschedulable: (_, words) => words,
  provisioning: (seen) => `the namespace is being made at ${seen?.datacenter}`,
  running: (seen) => `the namespace stands at ${seen?.datacenter}`,
  degraded: (seen) => seen?.observedReason ?? `${seen?.datacenter} does not answer`,
  ending: () => 'is being taken away at its datacenters',
  ended: () => 'has ended',
}
