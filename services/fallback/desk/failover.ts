/** A hosting whose holder has lost its right is offered to another site, which is granted it once it has accepted. */
import { compareEpochs, isLater, isSame, latest, nextEpoch } from '../epoch.ts'
import type { DatacenterId, FromSite } from '../messages.ts'
import { nothing } from '../step.ts'
import {
  changed,
  type Desk,
  type DeskStep,
  hasExpired,
  isBraked,
  isDue,
  isInContact,
  isLost,
  tell,
  together,
  without,
} from './desk.ts'
import { isUnstarted, type Row, type Saga, type Witness, waitTargets } from './row.ts'

/** Regularly: what is under way is repeated, what has become possible is begun. */
export function deskTick(desk: Desk, nowMs: number): DeskStep {
  const braked = isBraked(desk, nowMs)
  return together([...desk.rows.values()].map((row) => advance(desk, row, braked, nowMs)))
}

function advance(desk: Desk, row: Row, braked: boolean, nowMs: number): DeskStep {
  if (row.amnesia) return nothing
  if (row.offer) return repeatOffer(desk, row, row.offer, nowMs)
  if (row.over !== undefined) return offer(desk, row, desk.options.datacenters, nowMs)
  const mayWait = row.activity === 'exclusive' && (row.policy === 'automatic' || row.saga !== undefined) && !braked
  if (mayWait && isLost(desk, row.holder, nowMs) && hasExpired(desk, row, nowMs)) {
    return offer(desk, row, waitTargets(row), nowMs)
  }
  if (row.saga?.kind === 'move' && isSame(row.saga.since, row.epoch)) return orderStop(desk, row, nowMs)
  const isBurnt = isLater(row.highest, row.epoch)
  return isBurnt && isInContact(desk, row.holder, nowMs) ? offerTo(desk, row, row.holder, nowMs) : nothing
}

function orderStop(desk: Desk, row: Row, nowMs: number): DeskStep {
  if (!isDue(desk, `stop ${row.hosting}`, desk.options.profile.renewMs, nowMs)) return nothing
  const { holder, hosting, epoch } = row
  return { writes: [], after: () => [tell(holder, { kind: 'deactivate', hosting, epoch })] }
}

/** A target that stays silent loses the offer; it was never granted, so nothing has to be waited for. */
function repeatOffer(desk: Desk, row: Row, { epoch, target }: NonNullable<Row['offer']>, nowMs: number): DeskStep {
  if (!isInContact(desk, target, nowMs)) return changed(desk, without(row, 'offer'))
  if (!isDue(desk, `offer ${row.hosting}`, desk.options.profile.renewMs, nowMs)) return nothing
  return {
    writes: [],
    after: () => [tell(target, { kind: 'activate', hosting: row.hosting, epoch, activity: row.activity })],
  }
}

function offer(desk: Desk, row: Row, among: readonly DatacenterId[], nowMs: number): DeskStep {
  const able = among.filter((id) => isInContact(desk, id, nowMs) && isTime(desk, row, id, nowMs))
  const wanted = row.saga?.target !== undefined && able.includes(row.saga.target) ? [row.saga.target] : []
  const target = wanted[0] ?? desk.options.choose(row, able)[0]
  if (target === undefined) return nothing
  // A first start saves nothing: lost right after it, the hosting waits for a person where that was asked.
  const begun = isUnstarted(row) ? row : { ...row, saga: row.saga ?? newSaga(desk, row, 'failover') }
  return offerTo(desk, begun, target, nowMs)
}

/**
 * Also to the holder itself, when an epoch was offered elsewhere and not granted: who has seen that one can promise the
 * holder nothing until it has a later one.
 */
function offerTo(desk: Desk, row: Row, target: DatacenterId, nowMs: number): DeskStep {
  const epoch = nextEpoch(row.highest, desk.generation)
  const offered: Row = { ...row, highest: epoch, offer: { epoch, target } }
  desk.toldMs.set(`offer ${row.hosting}`, nowMs)
  return changed(desk, offered, () => [
    tell(target, { kind: 'activate', hosting: row.hosting, epoch, activity: row.activity }),
  ])
}

const isTime = (desk: Desk, row: Row, target: DatacenterId, nowMs: number) =>
  nowMs >= (desk.notBeforeMs.get(`${row.hosting} ${target}`) ?? Number.NEGATIVE_INFINITY)

export function newSaga(desk: Desk, row: Row, kind: Saga['kind'], target?: DatacenterId): Saga {
  desk.sagas += 1
  const id = `${kind} ${row.hosting} ${row.highest.generation}.${row.highest.counter} ${desk.sagas}`
  return { id, kind, since: row.epoch, ...(target !== undefined && { target }) }
}

function answeredOffer(
  desk: Desk,
  from: DatacenterId,
  message: { hosting: string; epoch: Row['epoch'] },
): Row | undefined {
  const row = desk.rows.get(message.hosting)
  return row?.offer && row.offer.target === from && isSame(row.offer.epoch, message.epoch) ? row : undefined
}

/** The grant: from this commit on the old epoch is never renewed again. */
export function onAccepted(
  desk: Desk,
  from: DatacenterId,
  message: FromSite & { kind: 'accepted' },
  nowMs: number,
): DeskStep {
  const row = answeredOffer(desk, from, message)
  if (!row) return nothing
  // The holder may have been heard again since the offer was made.
  const isSameHolder = row.holder === from && row.over === undefined
  if (row.over === undefined && !isSameHolder && !hasExpired(desk, row, nowMs))
    return changed(desk, without(row, 'offer'))
  const leftovers = [
    ...row.leftovers.filter(({ datacenter }) => datacenter !== row.holder && datacenter !== from),
    ...(row.holder === from ? [] : [{ datacenter: row.holder, upTo: row.epoch }]),
  ]
  const peers = {
    version: Math.max(row.peers.version, row.nextPeers?.version ?? 0) + 1,
    members: desk.options.peersFor(row, from),
  }
  const granted = {
    ...without(row, 'offer', 'over', 'nextPeers'),
    epoch: message.epoch,
    holder: from,
    peers,
    leftovers,
  }
  const step = changed(desk, granted)
  const after = (committedMs: number) => {
    desk.grantedMs.set(row.hosting, committedMs)
    return []
  }
  return { ...step, after }
}

export function onRefused(
  desk: Desk,
  from: DatacenterId,
  message: FromSite & { kind: 'refused' },
  nowMs: number,
): DeskStep {
  const row = answeredOffer(desk, from, message)
  if (!row) return nothing
  desk.notBeforeMs.set(`${row.hosting} ${from}`, nowMs + Math.max(message.remainingMs, desk.options.profile.renewMs))
  return changed(desk, { ...without(row, 'offer'), highest: latest(row.highest, message.highest) })
}

/** It has seen the later epoch and promises the earlier one no more, which ends that when the wait has passed. */
export function onUnable(
  desk: Desk,
  from: DatacenterId,
  message: FromSite & { kind: 'unable' },
  nowMs: number,
): DeskStep {
  const row = answeredOffer(desk, from, message)
  if (!row) return nothing
  desk.notBeforeMs.set(`${row.hosting} ${from}`, nowMs + 5 * desk.options.profile.renewMs)
  const seals = row.over === undefined && waitTargets(row).includes(from) && hasExpired(desk, row, nowMs)
  return changed(desk, { ...without(row, 'offer'), ...(seals && { over: 'sealed' as const }) })
}

/** A site says that nothing of the hosting up to this epoch is left there. */
export function onStopped(desk: Desk, from: DatacenterId, message: FromSite & { kind: 'stopped' }): DeskStep {
  const row = desk.rows.get(message.hosting)
  if (!row || row.amnesia) return nothing
  const leftovers = row.leftovers.filter(
    ({ datacenter, upTo }) => datacenter !== from || compareEpochs(message.epoch, upTo) < 0,
  )
  const ends = row.holder === from && row.over === undefined && isSame(message.epoch, row.epoch)
  if (leftovers.length === row.leftovers.length && !ends) return nothing
  const next = ends ? { ...without(row, 'offer'), over: 'stopped' as const } : row
  return changed(desk, { ...next, leftovers })
}

/** Proof from outside, or the word of two people: for this epoch and no other. */
export function onProof(desk: Desk, hosting: string, epoch: Row['epoch'], witness: Witness): DeskStep {
  const row = desk.rows.get(hosting)
  if (!row || row.amnesia || row.over !== undefined || !isSame(row.epoch, epoch)) return nothing
  return changed(desk, { ...row, over: witness })
}
