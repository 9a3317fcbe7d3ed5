/** A move changes every figure by what the definition says, and is allowed just when the check finds nothing broken. */
import t from 'tap'
import { checkAssignment, type Instance } from '../../../../services/placement/index.ts'
import { tryEjection } from '../../../../services/placement/reassign/eject.ts'
import { mayShift, maySwap } from '../../../../services/placement/reassign/feasible.ts'
import { gainOfLeaving, shift, shiftDelta, swap, swapDelta } from '../../../../services/placement/reassign/moves.ts'
import { createState, type State, totalPrice } from '../../../../services/placement/reassign/state.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { tightInstance } from './worlds.ts'

const none = Number.POSITIVE_INFINITY

/** Breaches but those of capacity, which moves may bring about. */
function breaches(instance: Instance, assignment: Int32Array): number {
  return checkAssignment(instance, assignment).breaches.filter(({ constraint }) => constraint !== 'capacity').length
}

/** Where the figures kept in step differ from those of a state made anew. */
function differences(state: State): string[] {
  const fresh = createState(state.instance, state.assignment)
  fresh.penalty = state.penalty
  return Object.entries(fresh).flatMap(([name, value]) => {
    const kept = state[name as keyof State]
    const same = typeof value === 'number' ? value === kept : `${value}` === `${kept}`
    return same ? [] : [`${name}: ${kept} instead of ${value}`]
  })
}

/** One random shift or swap, done when allowed; what is wrong with it, if anything, and whether it was done. */
function step(state: State, random: () => number): { wrong: string[]; done: boolean } {
  const { instance, assignment } = state
  const p = Math.floor(random() * instance.processes)
  const q = Math.floor(random() * instance.processes)
  const to = Math.floor(random() * instance.machines)
  const swaps = random() < 0.4
  if (assignment[p] === (swaps ? assignment[q] : to)) return { wrong: [], done: false }
  const after = assignment.slice()
  after[p] = swaps ? assignment[q]! : to
  if (swaps) after[q] = assignment[p]!
  const allowed = swaps ? maySwap(state, p, q) : mayShift(state, p, to)
  const expected = breaches(instance, after) === 0
  const wrong = allowed === expected ? [] : [`${swaps ? 'swap' : 'shift'} allowed: ${allowed}, expected: ${expected}`]
  if (!allowed) return { wrong, done: false }
  const delta = swaps ? swapDelta(state, p, q, none) : shiftDelta(state, p, to, gainOfLeaving(state, p), none)
  const before = totalPrice(state)
  if (swaps) swap(state, p, q)
  else shift(state, p, to)
  if (totalPrice(state) - before !== delta) wrong.push(`price changed by ${totalPrice(state) - before}, not ${delta}`)
  return { wrong, done: true }
}

t.test('shifts and swaps change what the definition says, and are allowed just when nothing breaks', async (t) => {
  let done = 0
  let refused = 0
  for (let seed = 1; seed <= 150; seed++) {
    const instance = tightInstance(seed, 4 + (seed % 9), 2 + (seed % 4))
    const state = createState(instance, instance.initial)
    state.penalty = 3
    const { next } = seededRandom(seed)
    const wrong: string[] = []
    for (let i = 0; i < 200 && wrong.length === 0; i++) {
      const outcome = step(state, next)
      wrong.push(...outcome.wrong)
      if (outcome.done) done++
      else refused++
      if (i % 10 === 0) wrong.push(...differences(state))
    }
    const { cost, breaches } = checkAssignment(instance, state.assignment)
    if (cost.total !== state.cost) wrong.push(`cost ${state.cost}, by definition ${cost.total}`)
    if (breaches.some(({ constraint }) => constraint === 'capacity') !== state.excess > 0) wrong.push('excess')
    t.same(wrong, [], `seed ${seed}`)
  }
  t.ok(done > 5_000 && refused > 5_000, `${done} moves done, ${refused} refused`)
})

t.test('a bound above which the price does not matter changes no answer below it', async (t) => {
  const instance = tightInstance(3, 12, 4)
  const state = createState(instance, instance.initial)
  const answers = [...instance.initial.keys()].flatMap((p) =>
    Array.from({ length: instance.machines }, (_, to) => {
      if (to === state.assignment[p]) return true
      const gain = gainOfLeaving(state, p)
      const exact = shiftDelta(state, p, to, gain, none)
      const bounded = shiftDelta(state, p, to, gain, 20)
      return exact <= 20 ? bounded === exact : bounded > 20
    }),
  )
  t.notOk(answers.includes(false))
})

t.test('an ejection is kept whole or leaves everything as it was', async (t) => {
  let kept = 0
  let undone = 0
  for (let seed = 1; seed <= 60; seed++) {
    const instance = tightInstance(seed, 12, 4)
    const state = createState(instance, instance.initial)
    state.penalty = 5
    const { next } = seededRandom(seed)
    for (let i = 0; i < 30; i++) {
      const assignment = state.assignment.slice()
      const before = totalPrice(state)
      const most = i % 3 === 0 ? 40 : 0
      if (tryEjection(state, next, i % instance.processes, i % instance.machines, most).kept) {
        kept++
        if (totalPrice(state) - before > most) t.fail(`seed ${seed}: dearer by ${totalPrice(state) - before}`)
      } else {
        undone++
        t.same(state.assignment, assignment)
      }
      if (breaches(instance, state.assignment) > 0) t.fail(`seed ${seed}: something is broken`)
    }
    t.same(differences(state), [], `seed ${seed}`)
  }
  t.ok(kept > 100 && undone > 100, `${kept} kept, ${undone} undone`)
})
