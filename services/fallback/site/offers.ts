/** What a site answers when it is offered a hosting, asked to give one up, or asked for a promise. */
import { compareEpochs, type Epoch, isLater, isSame, latest, noEpoch } from '../epoch.ts'
import type { BetweenSites, DatacenterId, FromDesk, FromSite } from '../messages.ts'
import { nothing, type Step } from '../step.ts'
import { waitMs } from '../timers.ts'
import type { SiteEffect } from './effects.ts'
import { endOf, renewal } from './renew.ts'
import { emptyRecord, isActive, isGone, isOurs, isRunning, livelyOf, type Site, type SiteRecord } from './site.ts'
import type { SiteWrite } from './start.ts'

type SiteStep = Step<SiteWrite, SiteEffect>

const tellDesk = (...messages: FromSite[]): SiteEffect[] => messages.map((message) => ({ do: 'tell-desk', message }))

function stored(site: Site, record: SiteRecord, effects: (nowMs: number) => SiteEffect[]): SiteStep {
  site.records.set(record.hosting, record)
  return { writes: [{ records: [record] }], after: effects }
}

/**
 * Accepts, refuses or is unable, and says the same to a repetition. A refusal by promise is kept, so that a copy of the
 * same offer is not accepted after the promise has run out.
 */
export function onActivate(
  site: Site,
  { hosting, epoch, activity }: FromDesk & { kind: 'activate' },
  isAble: boolean,
  nowMs: number,
): SiteStep {
  const record = site.records.get(hosting) ?? emptyRecord(hosting, activity)
  if (isSame(record.accepted, epoch) && isOurs(record)) {
    return { writes: [], after: () => tellDesk({ kind: 'accepted', hosting, epoch }) }
  }
  const remainingMs = Math.max(0, livelyOf(site, hosting).promiseUntilMs - nowMs)
  const refusal = (reason: 'promised' | 'later-epoch', highest: Epoch): FromSite => ({
    kind: 'refused',
    hosting,
    epoch,
    reason,
    remainingMs,
    highest,
  })
  if (compareEpochs(epoch, record.seen) <= 0) {
    return { writes: [], after: () => tellDesk(refusal('later-epoch', record.seen)) }
  }
  if (isSame(record.refused, epoch) || remainingMs > 0) {
    const refused = { ...record, refused: latest(record.refused, epoch) }
    return stored(site, refused, () => tellDesk(refusal('promised', record.seen)))
  }
  if (!isAble) {
    const sealed = { ...record, seen: epoch, promised: false }
    return stored(site, sealed, () => tellDesk({ kind: 'unable', hosting, epoch }))
  }
  // Whom to ask for promises belongs to a tenure: the lists of an earlier one would leave out who may be next.
  const own = livelyOf(site, hosting)
  own.lists = []
  delete own.round
  // A holder runs on to the end of the lease that it has. Without one somebody else may have run it meanwhile.
  const runsOn = isActive(site, record, nowMs)
  if (!runsOn) delete own.lease
  const since = runsOn ? record.since : epoch
  const accepted = { ...record, activity, seen: epoch, accepted: epoch, since, promised: false }
  return stored(site, accepted, (now) => tellDesk({ kind: 'accepted', hosting, epoch }, renewal(site, now)))
}

/** Stops what is not later than the order; *stopped* is said when nothing of it can be left. */
export function onDeactivate(site: Site, { hosting, epoch }: FromDesk & { kind: 'deactivate' }): SiteStep {
  const record = site.records.get(hosting) ?? emptyRecord(hosting, 'exclusive')
  if (isOurs(record) && isLater(record.accepted, epoch)) return nothing
  const report = (): SiteEffect[] => (isGone(site, hosting) ? tellDesk({ kind: 'stopped', hosting, epoch }) : [])
  if (compareEpochs(record.ended, epoch) >= 0) return { writes: [], after: report }
  return stored(site, endOf(site, record, epoch), () => [{ do: 'scale-down', hosting }, ...report()])
}

/** Says that it has ended what it is thought to hold, if it has. */
export function onAskStopped(site: Site, { hosting, epoch }: FromDesk & { kind: 'ask-stopped' }): SiteStep {
  const record = site.records.get(hosting)
  if (!record || compareEpochs(record.ended, epoch) < 0 || !isGone(site, hosting)) return nothing
  return { writes: [], after: () => tellDesk({ kind: 'stopped', hosting, epoch }) }
}

/** A peer asks us not to accept a later epoch for a while; it may run on that alone, so it is durable first. */
export function onHold(
  site: Site,
  from: DatacenterId,
  { hosting, epoch, incarnation, seq }: BetweenSites & { kind: 'hold' },
  nowMs: number,
): SiteStep {
  const record = site.records.get(hosting) ?? emptyRecord(hosting, 'exclusive')
  const answer = (message: BetweenSites): SiteEffect[] => [{ do: 'tell-site', to: from, message }]
  if (isLater(record.seen, epoch)) {
    return { writes: [], after: () => answer({ kind: 'hold-refused', hosting, epoch, highest: record.seen }) }
  }
  const own = livelyOf(site, hosting)
  own.promiseUntilMs = Math.max(own.promiseUntilMs, nowMs + waitMs(site.profile))
  const promised: SiteRecord = { ...record, seen: epoch, promised: true }
  return stored(site, promised, () => answer({ kind: 'promised', hosting, epoch, incarnation, seq }))
}

/**
 * For a desk whose store was restored: the highest epoch of everything we know, and what we run. While it is not known of
 * something whether it still runs, there is no answer: after a restart the nodes have to be heard first.
 */
export function onAskSeen(site: Site, generation: number, nowMs: number): SiteStep {
  const isSettled = (record: SiteRecord) =>
    isSame(record.accepted, noEpoch) || isRunning(site, record, nowMs) || isGone(site, record.hosting)
  if (![...site.records.values()].every(isSettled)) return nothing
  const seen = [...site.records.values()].map((record) => ({
    hosting: record.hosting,
    highest: record.seen,
    ...(isRunning(site, record, nowMs) && { running: record.accepted }),
  }))
  return { writes: [], after: () => tellDesk({ kind: 'seen', generation, seen }) }
}
