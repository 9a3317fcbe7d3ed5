/** After a restored store: nothing is offered until every site has said what it has seen, and what it runs. */
import { isLater, latest } from '../epoch.ts'
import type { DatacenterId, FromSite, Seen } from '../messages.ts'
import { nothing } from '../step.ts'
import { changed, type Desk, type DeskStep, hasExpired, isDue, tell, together, without } from './desk.ts'
import type { Row } from './row.ts'

/**
 * Asked only when the wait has passed since we began: by then a lease that the lost store granted has run out or is being
 * kept alive, so who says that it does not run a hosting cannot come to run it without a new grant of ours.
 */
export function askSeen(desk: Desk, nowMs: number): DeskStep {
  const isNeeded = nowMs - desk.bootMs >= desk.waitMs && [...desk.rows.values()].some(({ amnesia }) => amnesia)
  if (!isNeeded || !isDue(desk, 'seen', desk.options.profile.renewMs, nowMs)) return nothing
  const silent = desk.options.datacenters.filter((id) => !desk.answered.has(id))
  return { writes: [], after: () => silent.map((id) => tell(id, { kind: 'ask-seen', generation: desk.generation })) }
}

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
  if (!desk.options.datacenters.every((id) => desk.answered.has(id))) return nothing
  const forgotten = [...desk.rows.values()].filter(({ amnesia }) => amnesia)
  return together(forgotten.map((row) => changed(desk, remembered(desk, row, nowMs))))
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
  return desk.grantedMs.has(row.hosting) && (row.activity === 'pinned' || !hasExpired(desk, row, nowMs))
}

/** The row as the sites together know it. Who runs it holds it; when nobody does, it takes a new epoch to run it. */
function remembered(desk: Desk, row: Row, nowMs: number): Row {
  const answers = [...(desk.seenBy.get(row.hosting) ?? [])]
  const highest = answers.reduce((most, [, seen]) => latest(most, seen.highest), row.highest)
  const runs = answers.flatMap(([id, { running }]) => (running ? [{ holder: id, epoch: running }] : []))
  if (mayRunByUs(desk, row, nowMs)) runs.push(row)
  const { holder, epoch } = runs.reduce<Row | (typeof runs)[0]>(
    (a, b) => (isLater(b.epoch, a.epoch) ? b : a),
    runs[0] ?? row,
  )
  const others = desk.options.datacenters.filter((id) => id !== holder)
  const leftovers = others.map((datacenter) => ({ datacenter, upTo: { ...epoch, counter: epoch.counter - 1 } }))
  const known: Row = { ...without(row, 'offer', 'over'), holder, epoch, highest, leftovers, amnesia: false }
  return runs.length > 0 ? known : { ...known, over: 'sealed' }
}
