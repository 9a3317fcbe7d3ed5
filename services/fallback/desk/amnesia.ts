/** After a restored store: nothing is offered until it is known of every site what it has seen and runs, or that it is off. */
import { type Epoch, isLater, latest } from '../epoch.ts'
import type { DatacenterId, FromSite, Seen } from '../messages.ts'
import { nothing } from '../step.ts'
import {
  changed,
  type Desk,
  type DeskStep,
  hasExpired,
  isDue,
  isInDoubt,
  isLost,
  tell,
  together,
  without,
} from './desk.ts'
import { isUnstarted, type Row } from './row.ts'

/**
 * Asked only when the wait has passed since we began: by then a lease that the lost store granted has run out or is being
 * kept alive, so who says that it does not run a hosting cannot come to run it without a new grant of ours.
 */
export function askSeen(desk: Desk, nowMs: number): DeskStep {
  const isNeeded = nowMs - desk.bootMs >= desk.waitMs && isInDoubt(desk)
  if (!isNeeded || !isDue(desk, 'seen', desk.options.profile.renewMs, nowMs)) return nothing
  const silent = desk.options.datacenters.filter((id) => !desk.answered.has(id))
  return { writes: [], after: () => silent.map((id) => tell(id, { kind: 'ask-seen', generation: desk.generation })) }
}

/** Whom doubt of the store still waits for; nobody when there is none. */
export const awaited = (desk: Desk): DatacenterId[] =>
  isInDoubt(desk) ? desk.options.datacenters.filter((id) => !desk.answered.has(id) && !desk.off.has(id)) : []

export function onSeen(
  desk: Desk,
  from: DatacenterId,
  { generation, seen }: FromSite & { kind: 'seen' },
  nowMs: number,
): DeskStep {
  if (generation !== desk.generation || desk.answered.has(from)) return nothing
  desk.answered.add(from)
  for (const each of seen) {
    const answers = desk.seenBy.get(each.hosting) ?? new Map<DatacenterId, Seen>()
    desk.seenBy.set(each.hosting, answers.set(from, each))
  }
  return endDoubt(desk, nowMs)
}

/**
 * People know that these are off and stay so. It counts of those that this desk itself has missed for as long as leases are
 * waited for: of a site that speaks nobody can know it.
 */
export function onOff(desk: Desk, datacenters: readonly DatacenterId[], nowMs: number): DeskStep {
  for (const id of datacenters) if (isLost(desk, id, nowMs)) desk.off.add(id)
  return endDoubt(desk, nowMs)
}

function endDoubt(desk: Desk, nowMs: number): DeskStep {
  if (awaited(desk).length > 0) return nothing
  const inDoubt = [...desk.rows.values()].filter(({ amnesia }) => amnesia)
  const upTo = allBefore(desk, inDoubt)
  return together(inDoubt.map((row) => changed(desk, remembered(desk, row, upTo, nowMs))))
}

/**
 * Later than all that a site which is off can have been told of, and than nothing that we offer from now on. That is our
 * generation, or a later one should a clock have run wrong when ours was chosen.
 */
function allBefore(desk: Desk, inDoubt: readonly Row[]): Epoch {
  let { generation } = desk
  for (const { hosting, highest } of inDoubt) {
    const told = [...(desk.seenBy.get(hosting)?.values() ?? [])].map((seen) => seen.highest.generation)
    generation = Math.max(generation, ...[highest.generation, ...told].map((each) => each + 1))
  }
  return { generation, counter: 0 }
}

/**
 * A row of a restored store, before a desk may lead on it. Its holder may go by a list of peers that was lost with the store,
 * so nobody counts as one until the holder has said that it goes by the list that is sent to it from now on.
 */
export function forgotten(row: Row, generation: number): Row {
  const version = generation * 1_000_000
  const { members } = row.nextPeers ?? row.peers
  return { ...row, amnesia: true, peers: { version, members: [] }, nextPeers: { version: version + 1, members } }
}

/** Its holder said no, perhaps, but a grant of this desk may have reached it since. */
function mayRunByUs(desk: Desk, row: Row, nowMs: number): boolean {
  const isKept = row.activity === 'pinned' || !hasExpired(desk, row, nowMs)
  return desk.grantedMs.has(row.hosting) && isKept && !desk.off.has(row.holder)
}

/**
 * The row as the sites together know it. Who runs it holds it; when nobody does, it takes a new epoch to run it. What a site
 * that is off was told of nobody knows: so the next epoch is later than all of that, also for who runs it, whose peers may
 * have to promise it beside that site; and there all of it has to end.
 */
function remembered(desk: Desk, row: Row, upTo: Epoch, nowMs: number): Row {
  const answers = [...(desk.seenBy.get(row.hosting) ?? [])]
  const told = answers.reduce((most, [, seen]) => latest(most, seen.highest), row.highest)
  const highest = desk.off.size > 0 ? { ...upTo, counter: told.counter } : told
  const runs = answers.flatMap(([id, { running }]) =>
    running && !desk.off.has(id) ? [{ holder: id, epoch: running }] : [],
  )
  if (mayRunByUs(desk, row, nowMs)) runs.push(row)
  // It was to begin at a site that has answered, and nobody has seen more of it than the store: it is still to begin there.
  const isToBegin = isUnstarted(row) && runs.length === 0 && !desk.off.has(row.holder) && !isLater(told, row.highest)
  const { holder, epoch } = runs.reduce<Row | (typeof runs)[0]>(
    (a, b) => (isLater(b.epoch, a.epoch) ? b : a),
    runs[0] ?? { ...row, epoch: desk.off.size > 0 && !isToBegin ? highest : row.epoch },
  )
  const others = desk.options.datacenters.filter((id) => id !== holder)
  const leftovers = others.map((datacenter) => ({
    datacenter,
    upTo: desk.off.has(datacenter) ? upTo : { ...epoch, counter: epoch.counter - 1 },
  }))
  const known: Row = { ...without(row, 'offer', 'over'), holder, epoch, highest, leftovers, amnesia: false }
  return runs.length > 0 ? known : { ...known, over: isToBegin ? 'stopped' : 'sealed' }
}
