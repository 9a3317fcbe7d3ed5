/** The holder keeps its lease: at the desk, and when the desk is silent by the promises of its peers. */
import { compareEpochs, type Epoch, isLater, isSame, latest } from '../epoch.ts'
import type { BetweenSites, DatacenterId, FromDesk, FromSite, Held } from '../messages.ts'
import { nothing, type Step } from '../step.ts'
import type { SiteEffect } from './effects.ts'
import { isActive, isOurs, isRunning, livelyOf, type Site, type SiteRecord } from './site.ts'
import type { SiteWrite } from './start.ts'

type SiteStep = Step<SiteWrite, SiteEffect>

/** Regularly, several times per renewal. */
export function siteTick(site: Site, nowMs: number): SiteStep {
  const effects: SiteEffect[] = []
  if (nowMs - site.renewedAtMs >= site.profile.renewMs) effects.push({ do: 'tell-desk', message: renewal(site, nowMs) })
  for (const record of site.records.values()) effects.push(...holdWhenSilent(site, record, nowMs))
  return { writes: [], after: () => effects }
}

/** The next renewal; its deadline will count from now. */
export function renewal(site: Site, nowMs: number): FromSite {
  const { leaseMs } = site.profile
  site.renewedAtMs = nowMs
  site.seq += 1
  for (const [seq, sentAt] of site.sentAtMs) if (nowMs - sentAt > leaseMs) site.sentAtMs.delete(seq)
  site.sentAtMs.set(site.seq, nowMs)
  return { kind: 'renew', incarnation: site.incarnation, seq: site.seq, clockMs: nowMs, holds: heldBy(site, nowMs) }
}

export function heldBy(site: Site, nowMs: number): Held[] {
  return [...site.records.values()].filter(isOurs).map((record) => ({
    hosting: record.hosting,
    epoch: record.accepted,
    active: isRunning(site, record, nowMs),
    listVersion: Math.max(0, ...livelyOf(site, record.hosting).lists.map(({ version }) => version)),
  }))
}

/** Asks every member of its lists, and no fewer, from the moment that a renewal was missed. */
function holdWhenSilent(site: Site, record: SiteRecord, nowMs: number): SiteEffect[] {
  const own = livelyOf(site, record.hosting)
  const { leaseMs, renewMs } = site.profile
  if (!own.lease || record.activity !== 'exclusive' || !isActive(site, record, nowMs)) return []
  if (own.lease.deadlineMs - nowMs > leaseMs - 1.5 * renewMs) return []
  if (own.round && own.round.waiting.size > 0 && nowMs - own.round.sentAtMs < renewMs / 3) return []
  const peers = new Set(own.lists.flatMap(({ members }) => members).filter((id) => id !== site.id))
  if (own.lists.length === 0) return []
  site.seq += 1
  own.round = { seq: site.seq, sentAtMs: nowMs, waiting: peers }
  if (peers.size === 0) extend(site, record, record.accepted, nowMs)
  const message: BetweenSites = {
    kind: 'hold',
    hosting: record.hosting,
    epoch: record.accepted,
    incarnation: site.incarnation,
    seq: site.seq,
  }
  return [...peers].map((to): SiteEffect => ({ do: 'tell-site', to, message }))
}

/** A lease of this epoch until `leaseMs` after the request for it was sent; never shorter than it was. */
function extend(site: Site, record: SiteRecord, epoch: Epoch, sentAtMs: number): void {
  const own = livelyOf(site, record.hosting)
  const deadlineMs = sentAtMs + site.profile.leaseMs
  if (own.lease && isSame(own.lease.epoch, epoch) && own.lease.deadlineMs >= deadlineMs) return
  own.lease = { epoch, deadlineMs }
}

export function onRenewed(site: Site, answer: FromDesk & { kind: 'renewed' }, nowMs: number): SiteStep {
  const sentAtMs = answer.incarnation === site.incarnation ? site.sentAtMs.get(answer.seq) : undefined
  const changed: SiteRecord[] = []
  const effects: SiteEffect[] = []
  for (const { hosting, epoch, leaseMs, lists } of answer.leases) {
    const record = site.records.get(hosting)
    if (sentAtMs === undefined || !record || !isOurs(record) || !isSame(record.accepted, epoch)) continue
    const own = livelyOf(site, hosting)
    if (answer.seq > own.listSeq) {
      // Promises that were asked for by other lists are of no use now.
      delete own.round
      Object.assign(own, { lists, listSeq: answer.seq })
    }
    if (sentAtMs + leaseMs <= nowMs) continue
    extend(site, record, epoch, sentAtMs)
    effects.push({ do: 'run', hosting, label: record.since })
  }
  for (const { hosting, epoch } of answer.lost) {
    const record = site.records.get(hosting)
    if (!record || !isOurs(record) || isLater(record.accepted, epoch)) continue
    changed.push(endOf(site, record, epoch))
    effects.push({ do: 'scale-down', hosting })
  }
  return { writes: changed.length > 0 ? [{ records: changed }] : [], after: () => effects }
}

/** The epoch is over here, for good. */
export function endOf(site: Site, record: SiteRecord, upTo: Epoch): SiteRecord {
  const ended = { ...record, ended: latest(record.ended, upTo), seen: latest(record.seen, upTo) }
  site.records.set(record.hosting, ended)
  const own = livelyOf(site, record.hosting)
  delete own.lease
  delete own.round
  return ended
}

export function onPromised(
  site: Site,
  from: DatacenterId,
  answer: BetweenSites & { kind: 'promised' },
  nowMs: number,
): SiteStep {
  const record = site.records.get(answer.hosting)
  const own = livelyOf(site, answer.hosting)
  const round = own.round
  if (!record || !round || answer.incarnation !== site.incarnation || round.seq !== answer.seq) return nothing
  if (compareEpochs(record.accepted, answer.epoch) !== 0 || !isActive(site, record, nowMs)) return nothing
  round.waiting.delete(from)
  if (round.waiting.size === 0) {
    extend(site, record, answer.epoch, round.sentAtMs)
    delete own.round
  }
  return nothing
}
