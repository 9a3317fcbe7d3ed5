/** Several datacenters lost at once are rather a fault of the desk: nothing goes elsewhere before a person has said so. */
import t from 'tap'
import {
  type Desk,
  deskHears,
  isBraked,
  isLost,
  profiles,
  type Row,
  startDesk,
  untilExpiryMs,
  waitMs,
} from '../../../services/fallback/index.ts'

const profile = profiles.fast
const x = waitMs(profile)
const epoch = { generation: 1, counter: 1 }
const rowAt = (holder: string): Row => ({
  hosting: `h-${holder}`,
  activity: 'exclusive',
  policy: 'automatic',
  epoch,
  highest: epoch,
  holder,
  peers: { version: 1, members: ['c'] },
  leftovers: [],
  amnesia: false,
})

/** `lastHeard`: of each site its last renewal, milliseconds after the desk began; c is heard throughout. */
function deskOf(lastHeard: Readonly<Record<string, number>>): Desk {
  const datacenters = [...Object.keys(lastHeard), 'c']
  const options = { profile, datacenters, choose: () => ['c'], peersFor: () => [], lostBeforeBrake: 1 }
  const desk = startDesk(options, Object.keys(lastHeard).map(rowAt), 1, 0)
  for (const [site, atMs] of Object.entries(lastHeard)) renew(desk, site, atMs, true)
  return desk
}

function renew(desk: Desk, from: string, atMs: number, isHolder = false): void {
  const holds = isHolder ? [{ hosting: `h-${from}`, epoch, active: true, listVersion: 1 }] : []
  const message = { kind: 'renew', incarnation: 1, seq: atMs, clockMs: 0, holds } as const
  deskHears(desk, { kind: 'message', from, message }, atMs).after(atMs)
}

const offered = (desk: Desk, nowMs: number) => {
  renew(desk, 'c', nowMs)
  return deskHears(desk, { kind: 'tick' }, nowMs).writes.flatMap((write) => ('row' in write ? [write.row.hosting] : []))
}

t.test('one lost datacenter fails over as soon as its lease can hold no longer', async (t) => {
  const desk = deskOf({ a: 1_000, b: x })
  t.equal(untilExpiryMs(desk, x), 1_000)
  t.same(offered(desk, x + 999), [])
  t.same(offered(desk, x + 1_000), ['h-a'])
  t.equal(untilExpiryMs(desk, x + 1_000), x - 1_000, 'what has run out is not waited for')
})

t.test('of two that fail together the one that is lost first is held back too', async (t) => {
  const desk = deskOf({ a: 1_000, b: 1_000 + profile.renewMs })
  const first = x + 1_000
  t.ok(isLost(desk, 'a', first))
  t.notOk(isLost(desk, 'b', first), 'it only has not been heard for a while')
  t.same(offered(desk, first), [])
  const both = first + profile.renewMs
  t.same(offered(desk, both), [])
  t.ok(isBraked(desk, both))
  deskHears(desk, { kind: 'order', order: { order: 'release-brake', lost: ['a'] } }, both)
  t.same(offered(desk, both), [], 'a word about one is none about the other')
  deskHears(desk, { kind: 'order', order: { order: 'release-brake', lost: ['a', 'b'] } }, both)
  t.same(offered(desk, both), ['h-a', 'h-b'])
})

t.test('the brake is off when the other is heard again, and never on while nobody is lost', async (t) => {
  const desk = deskOf({ a: 1_000, b: 2_000 })
  renew(desk, 'c', 2_000)
  t.notOk(isBraked(desk, x), 'both are silent, and none is lost')
  for (const site of ['b', 'c']) renew(desk, site, x + 1_000, site === 'b')
  t.notOk(isBraked(desk, x + 1_000))
  t.same(offered(desk, x + 1_000), ['h-a'])
})
