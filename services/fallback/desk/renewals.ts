/** A site asks to keep what it holds. */
import { compareEpochs, isLater, isSame } from '../epoch.ts'
import type { DatacenterId, FromSite, Held, Lease, Over } from '../messages.ts'
import { changed, type Desk, type DeskStep, type DeskWrite, tell, together, without } from './desk.ts'
import type { Row } from './row.ts'

/**
 * One commit for all of a renewal, then the answer: a lease counts for the holder from when it asked, and for us from when
 * the commit was known. A desk that was deposed meanwhile cannot commit, so it grants nothing.
 */
export function onRenew(
  desk: Desk,
  from: DatacenterId,
  renewal: FromSite & { kind: 'renew' },
  nowMs: number,
): DeskStep {
  desk.heardMs.set(from, nowMs)
  desk.released.delete(from)
  const leases: Lease[] = []
  const lost: Over[] = []
  const writes: DeskWrite[] = [{ check: 'term' }]
  for (const held of renewal.holds) {
    const row = desk.rows.get(held.hosting)
    if (!row) continue
    const renewed = row.amnesia ? recognised(desk, row, from, held) : renewedRow(row, from, held)
    if (renewed === undefined) {
      if (isOver(row, from, held)) lost.push({ hosting: held.hosting, epoch: held.epoch })
      continue
    }
    if (renewed !== row) {
      desk.rows.set(row.hosting, renewed)
      writes.push({ row: renewed })
    }
    leases.push(leaseOf(desk, renewed))
  }
  const { incarnation, seq } = renewal
  const answer: DeskStep = {
    writes,
    after: (committedMs) => {
      for (const { hosting } of leases) desk.grantedMs.set(hosting, committedMs)
      return [tell(from, { kind: 'renewed', incarnation, seq, leases, lost })]
    },
  }
  return together([answer, ...orders(desk, from), ...questions(desk, from, renewal.holds)])
}

function leaseOf(desk: Desk, { hosting, epoch, activity, peers, nextPeers }: Row): Lease {
  const lists = nextPeers ? [peers, nextPeers] : [peers]
  return { hosting, epoch, activity, leaseMs: desk.options.profile.leaseMs, lists }
}

/** Not so while it is on offer to the sender: its acceptance may be just behind. */
function isOver(row: Row, from: DatacenterId, { epoch }: Held): boolean {
  const isOffered = row.offer?.target === from && isSame(row.offer.epoch, epoch)
  const isHeld = row.holder === from && isSame(row.epoch, epoch) && row.over === undefined
  return !row.amnesia && !isOffered && !isHeld && compareEpochs(epoch, row.highest) <= 0
}

/** The row after its holder was heard; undefined when the sender does not hold it. */
function renewedRow(row: Row, from: DatacenterId, held: Held): Row | undefined {
  if (row.holder !== from || !isSame(row.epoch, held.epoch) || row.over !== undefined) return undefined
  // A later epoch is known of, and this one has stopped meanwhile: it may not start again in it, but is offered a later one.
  if (!held.active && isLater(row.highest, row.epoch)) return undefined
  let renewed = row
  // The holder is back: what was offered meanwhile was never granted, and is not any more.
  if (row.offer && row.offer.target !== from) renewed = without(renewed, 'offer')
  if (row.nextPeers && held.listVersion === row.nextPeers.version) {
    renewed = { ...without(renewed, 'nextPeers'), peers: row.nextPeers }
  }
  const { saga } = renewed
  if (saga && held.active && (saga.kind === 'failover' || isLater(row.epoch, saga.since)))
    renewed = without(renewed, 'saga')
  return renewed
}

/**
 * A restored store knows less than the sites. Who runs a hosting at an epoch that is not before the row's held it when it
 * asked, so the row follows; who does not run it has to wait for what the others have seen.
 */
function recognised(desk: Desk, row: Row, from: DatacenterId, held: Held): Row | undefined {
  if (!held.active || compareEpochs(held.epoch, row.highest) < 0) return undefined
  if (row.holder === from && isSame(row.epoch, held.epoch) && !row.offer && !row.over) return row
  desk.grantedMs.delete(row.hosting)
  return { ...without(row, 'offer', 'over', 'saga'), holder: from, epoch: held.epoch, highest: held.epoch }
}

/** What is left of earlier epochs at this site is ordered away, now that it is heard. */
function orders(desk: Desk, from: DatacenterId): DeskStep[] {
  return [...desk.rows.values()].flatMap(({ hosting, leftovers }) =>
    leftovers
      .filter(({ datacenter }) => datacenter === from)
      .map(({ upTo }) => ({ writes: [], after: () => [tell(from, { kind: 'deactivate', hosting, epoch: upTo })] })),
  )
}

/** A holder that does not speak of what it holds may have ended it by an order of a desk whose store is lost. */
function questions(desk: Desk, from: DatacenterId, holds: readonly Held[]): DeskStep[] {
  const spokenOf = new Set(holds.map(({ hosting }) => hosting))
  const silent = [...desk.rows.values()].filter(
    ({ hosting, holder, over, amnesia }) => holder === from && !over && !amnesia && !spokenOf.has(hosting),
  )
  return silent.map(({ hosting, epoch }) => ({
    writes: [],
    after: () => [tell(from, { kind: 'ask-stopped', hosting, epoch })],
  }))
}

/** The peers of a hosting become others, in two steps: this is the first. */
export function changePeers(desk: Desk, row: Row, members: readonly DatacenterId[]): DeskStep {
  const version = Math.max(row.peers.version, row.nextPeers?.version ?? 0) + 1
  if (row.nextPeers) return { writes: [], after: () => [] }
  return changed(desk, { ...row, nextPeers: { version, members } })
}
