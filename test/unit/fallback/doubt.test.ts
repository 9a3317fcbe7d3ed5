/** A desk in doubt of its store, and a site that does not answer: what the word of people that it is off changes. */
import t from 'tap'
import {
  awaited,
  type Desk,
  type DeskStep,
  deskHears,
  type Epoch,
  type FromDesk,
  type FromSite,
  forgotten,
  type Held,
  noteSpeaker,
  profiles,
  type Row,
  type Seen,
  startDesk,
  waitMs,
} from '../../../services/fallback/index.ts'

const profile = profiles.fast
const afterMs = waitMs(profile) + 1_000
const generation = 7
const old = (counter: number): Epoch => ({ generation: 3, counter })

const backedUp = (holder: string, more: Partial<Row> = {}): Row => ({
  hosting: 'h',
  activity: 'pinned',
  policy: 'confirm',
  epoch: old(1),
  highest: old(1),
  holder,
  peers: { version: 1, members: [] },
  leftovers: [],
  amnesia: false,
  ...more,
})

/** Of a store that was put back, with sites a, b and c. */
function doubting(row: Row): Desk {
  const options = {
    profile,
    datacenters: ['a', 'b', 'c'],
    choose: (_: Row, among: readonly string[]) => among,
    peersFor: () => [],
    lostBeforeBrake: 1,
  }
  return startDesk(options, [forgotten(row, generation)], generation, 0)
}

const rowOf = (desk: Desk) => desk.rows.get('h') as Row
const sent = (step: DeskStep, nowMs: number) => step.after(nowMs)
const hear = (desk: Desk, from: string, message: FromSite, nowMs = afterMs) =>
  deskHears(desk, { kind: 'message', from, message }, nowMs)
const seen = (desk: Desk, from: string, what: Omit<Seen, 'hosting'>[], nowMs = afterMs) =>
  hear(desk, from, { kind: 'seen', generation, seen: what.map((each) => ({ hosting: 'h', ...each })) }, nowMs)
const renew = (desk: Desk, from: string, held: Omit<Held, 'hosting' | 'listVersion'>[] = [], nowMs = afterMs) => {
  const holds = held.map((each) => ({ hosting: 'h', listVersion: 0, ...each }))
  return sent(hear(desk, from, { kind: 'renew', incarnation: 1, seq: 1, clockMs: 0, holds }, nowMs), nowMs)
}
const off = (desk: Desk, datacenters: string[], nowMs = afterMs) =>
  deskHears(desk, { kind: 'order', order: { order: 'off', datacenters } }, nowMs)
const tick = (desk: Desk, nowMs = afterMs) => sent(deskHears(desk, { kind: 'tick' }, nowMs), nowMs)
const ofKind = <K extends FromDesk['kind']>(effects: readonly { message: FromDesk }[], kind: K) =>
  effects.flatMap(({ message }) => (message.kind === kind ? [message as FromDesk & { kind: K }] : []))

t.test('one site that is silent holds all in doubt, until people know that it is off', async (t) => {
  const desk = doubting(backedUp('a'))
  seen(desk, 'a', [{ highest: old(4), running: old(4) }])
  seen(desk, 'b', [])
  t.same(awaited(desk), ['c'])
  t.ok(rowOf(desk).amnesia, 'also of what runs elsewhere')
  const step = off(desk, ['c'])
  t.match(step.writes, [{ row: { amnesia: false, holder: 'a', epoch: old(4), over: undefined } }])
  t.same(awaited(desk), [])
})

t.test('a word counts of nobody whom this desk has not missed for as long as leases are waited for', async (t) => {
  const desk = doubting(backedUp('a'))
  seen(desk, 'a', [])
  seen(desk, 'b', [])
  t.same(off(desk, ['c'], waitMs(profile) - 1).writes, [], 'the desk has just begun')
  renew(desk, 'c')
  t.same(off(desk, ['c'], afterMs + 1_000).writes, [], 'it was heard')
  t.ok(rowOf(desk).amnesia)
  t.equal(off(desk, ['c'], 2 * afterMs).writes.length, 1, 'it is missed again')
})

t.test('a word that is looked at together with the first message of the site does not count', async (t) => {
  const desk = doubting(backedUp('a'))
  seen(desk, 'a', [])
  seen(desk, 'b', [])
  noteSpeaker(desk, 'c', afterMs)
  t.same(off(desk, ['c']).writes, [])
  t.same(awaited(desk), ['c'])
})

t.test('a site that is heard after all is waited for again, and the commit says that it was heard', async (t) => {
  const desk = doubting(backedUp('a'))
  off(desk, ['c'])
  t.same(awaited(desk), ['a', 'b'])
  const step = hear(desk, 'c', { kind: 'renew', incarnation: 1, seq: 1, clockMs: 0, holds: [] })
  t.same(step.writes, [{ heard: 'c' }, { check: 'term' }])
  t.same(awaited(desk), ['a', 'b', 'c'])
  seen(desk, 'a', [])
  seen(desk, 'b', [])
  t.ok(rowOf(desk).amnesia, 'its answer is needed')
  seen(desk, 'c', [{ highest: old(5), running: old(5) }])
  t.match(rowOf(desk), { amnesia: false, holder: 'c', epoch: old(5) }, 'and is believed')
  t.same(hear(desk, 'c', { kind: 'renew', incarnation: 1, seq: 2, clockMs: 0, holds: [] }).writes, [{ check: 'term' }])
})

t.test('who runs it gets an epoch later than all that the site which is off can have seen', async (t) => {
  const desk = doubting(backedUp('a', { activity: 'exclusive' }))
  renew(desk, 'a', [{ epoch: old(4), active: true }])
  seen(desk, 'a', [{ highest: old(4), running: old(4) }])
  seen(desk, 'b', [{ highest: old(4) }])
  off(desk, ['c'])
  const [offered] = ofKind(tick(desk), 'activate')
  t.same(offered?.epoch, { generation, counter: 5 }, 'so that its peers can promise')
  const answer = renew(desk, 'a', [{ epoch: old(4), active: true }])
  t.match(ofKind(answer, 'renewed'), [{ leases: [{ epoch: old(4) }], lost: [] }], 'and runs on meanwhile')
  hear(desk, 'a', { kind: 'accepted', hosting: 'h', epoch: { generation, counter: 5 } })
  t.match(rowOf(desk), { holder: 'a', epoch: { generation, counter: 5 }, over: undefined, offer: undefined })
  const back = renew(desk, 'c', [{ epoch: old(9), active: true }])
  t.match(ofKind(back, 'renewed'), [{ leases: [], lost: [{ epoch: old(9) }] }], 'a later one of before is over')
  t.match(ofKind(back, 'deactivate'), [{ epoch: { generation, counter: 0 } }], 'and all of before has to end there')
  hear(desk, 'c', { kind: 'stopped', hosting: 'h', epoch: { generation, counter: 0 } })
  t.notOk(rowOf(desk).leftovers.some(({ datacenter }) => datacenter === 'c'))
})

t.test('what nobody runs, and the site that is off may have run, goes elsewhere', async (t) => {
  const desk = doubting(backedUp('c'))
  for (const id of ['a', 'b']) {
    renew(desk, id)
    seen(desk, id, [{ highest: old(2) }])
  }
  off(desk, ['c'])
  t.match(rowOf(desk), { holder: 'c', over: 'sealed' })
  const [offered] = ofKind(tick(desk), 'activate')
  t.same(offered?.epoch, { generation, counter: 3 })
  hear(desk, 'a', { kind: 'accepted', hosting: 'h', epoch: { generation, counter: 3 } })
  const left = rowOf(desk).leftovers.find(({ datacenter }) => datacenter === 'c')
  t.same(left?.upTo, { generation, counter: 2 })
  const back = renew(desk, 'c', [{ epoch: old(12), active: true }])
  t.match(ofKind(back, 'renewed'), [{ leases: [], lost: [{ epoch: old(12) }] }])
})

t.test('what a site ran when it was last heard counts no more, once it is known to be off', async (t) => {
  const desk = doubting(backedUp('a'))
  renew(desk, 'c', [{ epoch: old(6), active: true }])
  seen(desk, 'c', [{ highest: old(6), running: old(6) }])
  t.match(rowOf(desk), { amnesia: true, holder: 'c' }, 'it is believed')
  const laterMs = 2 * afterMs
  off(desk, ['c'], laterMs)
  seen(desk, 'a', [], laterMs)
  seen(desk, 'b', [], laterMs)
  t.match(rowOf(desk), { amnesia: false, over: 'sealed', highest: { generation, counter: 6 } })
})

t.test('a generation that is not later than all that was told is not relied on', async (t) => {
  const desk = doubting(backedUp('a'))
  const told = { generation: generation + 2, counter: 4 }
  seen(desk, 'a', [{ highest: told, running: told }])
  seen(desk, 'b', [])
  off(desk, ['c'])
  t.same(rowOf(desk).highest, { generation: generation + 3, counter: 4 })
  t.match(rowOf(desk).leftovers, [{ datacenter: 'b' }, { datacenter: 'c', upTo: { generation: generation + 3 } }])
})

t.test('a site that has said anything is not off by a word of before that', async (t) => {
  const desk = doubting(backedUp('a'))
  seen(desk, 'c', [{ highest: old(5), running: old(5) }])
  seen(desk, 'a', [])
  off(desk, ['b', 'c'], afterMs + 1)
  t.match(rowOf(desk), { amnesia: false, holder: 'c', epoch: old(5), over: undefined })
})

t.test('what has never begun begins where it was placed, as long as that site is there', async (t) => {
  const unstarted = { epoch: old(0), highest: old(1) }
  const desk = doubting(backedUp('a', unstarted))
  seen(desk, 'a', [{ highest: old(1) }])
  seen(desk, 'b', [])
  off(desk, ['c'])
  t.match(rowOf(desk), { holder: 'a', epoch: { counter: 0 }, over: 'stopped', saga: undefined })
  const other = doubting(backedUp('c', unstarted))
  for (const id of ['a', 'b']) seen(other, id, [])
  off(other, ['c'])
  t.match(rowOf(other), { holder: 'c', over: 'sealed' }, 'it may have begun at one that is off')
})
