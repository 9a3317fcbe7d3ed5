/** Who tests the test: each fault that is planted in the protocol is found by the simulation. */
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { findPlanted, planted } from './planted.ts'

for (const fault of planted) {
  t.test(`${fault.id} is found: ${fault.fault}`, async (t) => {
    const { seed, breach } = await findPlanted(root, fault, 2_000)
    t.ok(breach, 'no seed broke anything')
    t.comment(`seed ${seed}: ${breach}`)
  })
}
