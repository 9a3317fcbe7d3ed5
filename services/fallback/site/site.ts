/** What one datacenter's agent knows of the hostings it was given, promised or asked about. */
import { type Epoch, isLater, noEpoch } from '../epoch.ts'
import type { ActivityClass, DatacenterId, HostingId, NodeId, PeerList } from '../messages.ts'
import type { Profile } from '../timers.ts'

/** Durable, per hosting. */
export interface SiteRecord {
  readonly hosting: HostingId
  readonly activity: ActivityClass
  /** The highest epoch that was told to us; nothing before it changes anything. */
  readonly seen: Epoch
  /** Ours to run, unless `ended` is not before it. */
  readonly accepted: Epoch
  /** The first of the epochs through which it ran on here without a break: the label of its pods. */
  readonly since: Epoch
  readonly ended: Epoch
  /** Offered and refused: never accepted later, however often it is offered. */
  readonly refused: Epoch
  /** The holder was promised that we shall not accept a later epoch for a while. */
  readonly promised: boolean
}

export interface SiteDisk {
  readonly incarnation: number
  readonly records: readonly SiteRecord[]
}

/** In memory only: after a restart a hosting is never active before its lease was renewed. */
interface Lively {
  lease?: { epoch: Epoch; deadlineMs: number }
  lists: readonly PeerList[]
  listSeq: number
  round?: { seq: number; sentAtMs: number; waiting: Set<DatacenterId> }
  promiseUntilMs: number
  /** Per node: the question whose answer last granted it. */
  grantedIn: Map<NodeId, number>
}

export interface NodeReport {
  readonly seq: number
  readonly present: ReadonlySet<HostingId>
  /** It had heard this incarnation of ours, so nothing of an earlier one is still on its way to count. */
  readonly heardUs: boolean
}

export interface Site {
  readonly id: DatacenterId
  readonly profile: Profile
  readonly nodes: readonly NodeId[]
  readonly incarnation: number
  readonly records: Map<HostingId, SiteRecord>
  readonly lively: Map<HostingId, Lively>
  readonly reports: Map<NodeId, NodeReport>
  readonly sentAtMs: Map<number, number>
  seq: number
  renewedAtMs: number
}

export const emptyRecord = (hosting: HostingId, activity: ActivityClass): SiteRecord => ({
  hosting,
  activity,
  seen: noEpoch,
  accepted: noEpoch,
  since: noEpoch,
  ended: noEpoch,
  refused: noEpoch,
  promised: false,
})

/** The record is of a hosting that we were given and have not given up. */
export const isOurs = (record: SiteRecord): boolean => isLater(record.accepted, record.ended)

export function livelyOf(site: Site, hosting: HostingId): Lively {
  const found = site.lively.get(hosting)
  if (found) return found
  const made: Lively = { lists: [], listSeq: 0, promiseUntilMs: Number.NEGATIVE_INFINITY, grantedIn: new Map() }
  site.lively.set(hosting, made)
  return made
}

export function isActive(site: Site, record: SiteRecord, nowMs: number): boolean {
  const lease = site.lively.get(record.hosting)?.lease
  return isOurs(record) && lease !== undefined && lease.deadlineMs > nowMs
}

/**
 * Whether its tenant may change it here: what is exclusive while it has its lease, what is pinned until it is ended. What we
 * were never told of is for others to judge.
 */
export function mayBeChanged(site: Site, hosting: HostingId, nowMs: number): boolean {
  const record = site.records.get(hosting)
  if (!record) return true
  return record.activity === 'exclusive' ? isActive(site, record, nowMs) : isOurs(record)
}

/** What a desk without memory goes by: it may run here by its lease or, pinned, because a node says that it is there. */
export function isRunning(site: Site, record: SiteRecord, nowMs: number): boolean {
  if (isActive(site, record, nowMs)) return true
  if (record.activity === 'exclusive' || !isOurs(record)) return false
  return [...site.reports.values()].some(({ present }) => present.has(record.hosting))
}

/** Whether no node can have a container of it, nor start one on a grant of ours: what *stopped* rests on. */
export function isGone(site: Site, hosting: HostingId): boolean {
  const { grantedIn } = livelyOf(site, hosting)
  return site.nodes.every((node) => {
    const report = site.reports.get(node)
    if (!report?.heardUs || report.present.has(hosting)) return false
    return report.seq > (grantedIn.get(node) ?? 0)
  })
}
