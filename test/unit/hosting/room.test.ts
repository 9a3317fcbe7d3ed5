/** Room under a ceiling: believed far from it and for a moment, counted near it. */
import t from 'tap'
import { createRoom } from '../../../services/broker/hosting/room.ts'
import { defaultCeilings } from '../../../services/shared/ceilings.ts'
import type { Sql } from '../../../services/shared/db/database.ts'

function world(living: number) {
  const state = { living, counts: 0, ms: 0 }
  const sql = {
    query: async () => {
      state.counts++
      return [{ living: state.living, unplaced: 0 }]
    },
  } as unknown as Sql
  const clock = { now: () => 0, monotonic: () => state.ms, every: () => () => undefined, sleep: async () => undefined }
  const room = createRoom(clock, { ...defaultCeilings, hostings: 100 })
  const take = async (partyId = 'a') => {
    await room(sql, partyId)
    state.living++
  }
  return { state, take }
}

t.test('no more than the ceiling, with few counts far from it and one for each request at it', async (t) => {
  const { state, take } = world(0)
  for (let i = 0; i < 100; i++) await take()
  t.ok(state.counts < 10, `${state.counts} counts`)
  for (let i = 0; i < 3; i++) {
    const before = state.counts
    await t.rejects(take(), { code: 'limit-reached' })
    t.equal(state.counts, before + 1)
  }
  state.living = 99
  await take()
  t.equal(state.living, 100, 'what is given back may be had at once')
})

t.test('of each party its own, and for a second', async (t) => {
  const { state, take } = world(0)
  await take('a')
  await take('b')
  await take('a')
  t.equal(state.counts, 2)
  state.ms = 1_000
  await take('a')
  t.equal(state.counts, 3)
})
