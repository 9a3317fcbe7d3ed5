/** The tree of bounds finds the same leaves as a look at each. */
import fc from 'fast-check'
import t from 'tap'
import { createTournament, nextLeaf, setLeaf } from '../../../services/placement/tournament.ts'

const vector = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 })

t.test('the next leaf that reaches all that is asked, after any changes', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.tuple(fc.nat(19), vector), { maxLength: 60 }),
        vector,
        (leaves, changes, asked) => {
          const tree = createTournament(leaves, 3)
          const bounds = new Map<number, number[]>()
          for (const [leaf, to] of changes) {
            if (leaf >= leaves) continue
            setLeaf(tree, leaf, to)
            bounds.set(leaf, to)
          }
          const question = { columns: [0, 1, 2], amounts: asked }
          for (let from = 0; from <= leaves; from++) {
            let expected = -1
            for (let leaf = from; leaf < leaves && expected < 0; leaf++) {
              const has = bounds.get(leaf)
              if (has && asked.every((amount, k) => amount <= (has[k] ?? 0))) expected = leaf
            }
            const found = nextLeaf(tree, from, question)
            if (found !== expected) throw new Error(`from ${from}: ${found} is not ${expected}`)
          }
        },
      ),
      { numRuns: 2000 },
    ),
  )
})
