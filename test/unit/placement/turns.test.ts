/** P5 over random queues: every turn is that of a party with the least dominant share, by shares counted anew. */
import fc from 'fast-check'
import t from 'tap'
import { fairOrder } from '../../../services/placement/index.ts'
import { inWorlds } from './exact/promised.ts'
import { worlds } from './exact/worlds.ts'

const amounts = fc.record({ cpu: fc.nat({ max: 9 }), memory: fc.nat({ max: 9 }), gpu: fc.constantFrom(0, 0, 1) })
const party = fc.constantFrom('a', 'b', 'c', 'd')
const anyQueue = fc.array(fc.record({ partyId: party, amounts }), { maxLength: 24, size: 'max' })
const anyHeld = fc.uniqueArray(fc.tuple(party, amounts), { selector: ([name]) => name })
const anyTotal = fc.record({ cpu: fc.integer({ min: 1, max: 90 }), memory: fc.constantFrom(0, 50, 200) })

t.test(
  'P5: each turn is that of who has least of what it has most of; a party keeps the order of its own',
  async (t) => {
    let turns = 0
    inWorlds(
      t,
      'turns',
      fc.property(anyQueue, anyHeld, anyTotal, (queue, held, total) => {
        const has = new Map(['a', 'b', 'c', 'd'].map((name) => [name, { cpu: 0, memory: 0 }]))
        const take = (name: string, more: { cpu: number; memory: number }) => {
          const sofar = has.get(name) ?? { cpu: 0, memory: 0 }
          has.set(name, { cpu: sofar.cpu + more.cpu, memory: sofar.memory + more.memory })
        }
        // Of a resource of which there is none nobody has a share; `gpu` is in no total.
        const share = (name: string) =>
          Math.max(
            ...(['cpu', 'memory'] as const).map((r) => (total[r] > 0 ? (has.get(name)?.[r] ?? 0) / total[r] : 0)),
          )
        for (const [name, more] of held) take(name, more)
        const waiting = [...queue]
        for (const turn of fairOrder(queue, new Map(held), total)) {
          const least = Math.min(...waiting.map(({ partyId }) => share(partyId)))
          if (share(turn.partyId) !== least)
            throw new Error(`${turn.partyId} has ${share(turn.partyId)}, least is ${least}`)
          if (waiting.find(({ partyId }) => partyId === turn.partyId) !== turn) throw new Error('out of its own order')
          waiting.splice(waiting.indexOf(turn), 1)
          take(turn.partyId, turn.amounts)
          turns++
        }
        if (waiting.length > 0) throw new Error(`${waiting.length} never get a turn`)
      }),
    )
    t.ok(turns > worlds(1000), `${turns} turns`)
  },
)
