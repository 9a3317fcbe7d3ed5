/** From heartbeat to heartbeat: suspect at one miss, unreachable after three in fifteen seconds, back at one answer. */
import fc from 'fast-check'
import t from 'tap'
import { versionReasons } from '../../../services/broker/clusters/checks.ts'
import {
  type ContactView,
  type Heartbeat,
  initialContact,
  nextContact,
} from '../../../services/broker/clusters/core/contact.ts'

const miss: Heartbeat = { ok: false, reason: 'connect ECONNREFUSED' }
const answer: Heartbeat = { ok: true }
const after = (steps: readonly (readonly [number, Heartbeat])[], from = initialContact('reachable', null, 0)) =>
  steps.reduce<ContactView>((contact, [now, heartbeat]) => nextContact(contact, heartbeat, now), from)

t.test('the first answer makes it reachable', async (t) => {
  t.match(after([[5, answer]], initialContact('unknown', null, 0)), { state: 'reachable', reason: null, since: 5 })
})

t.test('one miss is suspect, with the reason and since when', async (t) => {
  t.match(after([[1_000, miss]]), { state: 'suspect', reason: 'connect ECONNREFUSED', since: 1_000 })
})

t.test('many misses in a short time are still suspect', async (t) => {
  t.match(
    after([
      [0, miss],
      [1, miss],
      [2, miss],
      [14_999, miss],
    ]),
    { state: 'suspect', since: 0 },
  )
})

t.test('two misses far apart are still suspect', async (t) => {
  t.match(
    after([
      [0, miss],
      [60_000, miss],
    ]),
    { state: 'suspect' },
  )
})

t.test('three misses over fifteen seconds are unreachable, until it answers', async (t) => {
  const lost = after([
    [0, miss],
    [7_000, miss],
    [15_000, miss],
  ])
  t.match(lost, { state: 'unreachable', since: 15_000 })
  t.match(after([[20_000, { ok: false, reason: 'other' }]], lost), {
    state: 'unreachable',
    since: 15_000,
    reason: 'other',
  })
  t.match(after([[21_000, answer]], lost), { state: 'reachable', since: 21_000, reason: null, misses: 0 })
})

t.test('misses do not add up across answers', async (t) => {
  t.match(
    after([
      [0, miss],
      [5_000, miss],
      [10_000, answer],
      [16_000, miss],
    ]),
    { state: 'suspect', since: 16_000 },
  )
})

t.test('whatever came before, an answer is reachable and a miss is not', async () => {
  const steps = fc.array(fc.tuple(fc.nat(100_000), fc.boolean()))
  fc.assert(
    fc.property(steps, fc.boolean(), (before, last) => {
      const ordered = before.toSorted(([a], [b]) => a - b).map(([now, ok]) => [now, ok ? answer : miss] as const)
      const { state } = after([...ordered, [100_001, last ? answer : miss]])
      return last ? state === 'reachable' : state === 'suspect' || state === 'unreachable'
    }),
  )
})

t.test('versions before 1.30, and what is no version, are refused', async (t) => {
  for (const version of ['v1.30.0', 'v1.36.1', 'v1.31.2+k3s1', 'v2.0.0', 'v1.30+'])
    t.same(versionReasons(version), [], version)
  for (const version of ['v1.29.14', 'v0.99.0', '', 'latest']) t.equal(versionReasons(version).length, 1, version)
})
