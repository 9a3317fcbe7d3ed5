/** Turns in a drill of a datacenter: in order, not too many at once, and each is drilled or told why not. */
import fc from 'fast-check'
import t from 'tap'
import type { Part } from '../../../services/broker/drills/core/parts.ts'
import { createRound } from '../../../services/broker/drills/core/round.ts'

const part = (hostingId: string, more: Partial<Part> = {}): Part => ({
  hostingId,
  hosting: hostingId,
  fits: true,
  why: null,
  tried: null,
  drillId: null,
  state: null,
  standbyId: 'oost',
  ...more,
})
const running = { drillId: 'drl', state: 'running' } as const
const passed = { drillId: 'drl', state: 'passed' } as const

/** What is asked for in one round, where `answer` says what stands in the way of each; null: nothing. */
function round(
  parts: readonly Part[],
  atOnce: number,
  answer: (id: string) => { why: string; isShort: boolean } | null,
) {
  const turn = createRound(parts, atOnce)
  const begun: string[] = []
  const tried: string[] = []
  for (let next = turn.next(); next; next = turn.next()) {
    tried.push(next.hostingId)
    const hindrance = answer(next.hostingId)
    if (hindrance) turn.hindered(hindrance.why, hindrance.isShort)
    else {
      turn.began()
      begun.push(next.hostingId)
    }
  }
  return { begun, tried, marks: turn.marks() }
}

t.test('in their order, and no more at once than may be', async (t) => {
  const parts = [part('over', passed), part('runs', running), part('a'), part('b'), part('c')]
  t.same(round(parts, 3, () => null).begun, ['a', 'b'])
  t.same(round(parts, 1, () => null).tried, [], 'not even tried')
  t.same(round([part('left', { fits: false, why: 'no fallback' }), part('a')], 1, () => null).begun, ['a'])
})

t.test('who has no room waits for those before it there, and so do those behind it', async (t) => {
  const short = (id: string) => (id === 'b' ? { why: 'no room', isShort: true } : null)
  const first = round([part('a'), part('b'), part('c'), part('d', { standbyId: 'west' })], 4, short)
  t.same(first.begun, ['a', 'd'], 'c does not overtake it there; d stands elsewhere')
  const still = [{ why: null }, { why: null }]
  t.match(first.marks, still, 'neither is given up')
  const waits = [part('a', running), part('b', { tried: 0 }), part('c', { tried: 0 })]
  t.same(round(waits, 4, () => null).tried, [], 'as long as nothing has ended it is not tried again')
  t.same(round([part('a', passed), part('b', { tried: 0 }), part('c', { tried: 0 })], 4, () => null).begun, ['b', 'c'])
})

t.test('who does not fit with nothing beside it never does, and holds nobody up', async (t) => {
  const short = (id: string) => (id === 'a' ? { why: 'no room', isShort: true } : null)
  const first = round([part('a'), part('b')], 4, short)
  t.same(first, { begun: ['b'], tried: ['a', 'b'], marks: [{ hostingId: 'a', tried: 0, why: 'no room' }] })
  const beside = round([part('w', { ...running, standbyId: 'west' }), part('a')], 4, short)
  t.match(beside.marks, [{ hostingId: 'a', why: 'no room' }], 'what is under way elsewhere is not in its way')
})

t.test('what else stands in the way may pass while others are under way, and no longer', async (t) => {
  const busy = (id: string) => (id === 'a' ? { why: 'an operation', isShort: false } : null)
  t.match(round([part('a'), part('b')], 1, busy), { begun: ['b'], marks: [{ hostingId: 'a', why: null }] })
  t.match(round([part('a', { tried: 0 }), part('b', passed)], 1, busy), {
    marks: [{ hostingId: 'a', why: 'an operation' }],
  })
})

const site = fc.constantFrom('oost', 'west')
const hosting = fc.record({ size: fc.integer({ min: 1, max: 4 }), standbyId: site, isBusy: fc.boolean() })

t.test('whatever fits where, each is drilled once or told why not, and no room is taken twice', async () => {
  fc.assert(
    fc.property(
      fc.array(hosting, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 8 }),
      (hostings, atOnce, ends) => {
        const room = 3
        const parts = hostings.map(({ standbyId }, index) => part(String(index), { standbyId }))
        const of = (id: string) => hostings[Number(id)] ?? { size: 0, standbyId: '', isBusy: false }
        const underWay = () => parts.filter(({ state }) => state === 'running')
        const taken = (at: string) =>
          underWay().reduce((sum, each) => sum + (each.standbyId === at ? of(each.hostingId).size : 0), 0)
        let rounds = 0
        for (; parts.some(({ state, why }) => state === 'running' || (state === null && why === null)); rounds++) {
          if (rounds > 3 * hostings.length + 3) throw new Error('it does not come to an end')
          const turn = createRound([...parts], atOnce)
          for (let next = turn.next(); next; next = turn.next()) {
            const { hostingId, standbyId } = next
            const { size, isBusy } = of(hostingId)
            const index = Number(hostingId)
            if (isBusy) turn.hindered('busy', false)
            else if (taken(standbyId ?? '') + size > room) turn.hindered('no room', true)
            else {
              turn.began()
              parts[index] = { ...next, ...running }
            }
            if (underWay().length > atOnce) throw new Error('too many at once')
          }
          for (const { hostingId, tried, why } of turn.marks()) {
            const index = Number(hostingId)
            const known = parts[index]
            if (known) parts[index] = { ...known, tried, why }
          }
          const some = underWay()
          const ended = some[(ends[rounds % ends.length] ?? 0) % Math.max(1, some.length)]
          if (ended) parts[Number(ended.hostingId)] = { ...ended, ...passed }
        }
        for (const [index, { size, isBusy }] of hostings.entries()) {
          const expected = isBusy ? 'busy' : size > room ? 'no room' : null
          if (parts[index]?.why !== expected) throw new Error(`${index}: ${parts[index]?.why}, and not ${expected}`)
        }
      },
    ),
    { numRuns: 500 },
  )
})
