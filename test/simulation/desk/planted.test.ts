/** Who tests the test: each fault that is planted in the desk is found by its simulation. */
import t from 'tap'
import { root } from '../../../scripts/sources.ts'
import { inLanes, ownDatabase } from './alone.ts'
import { findPlanted, planted } from './planted.ts'

t.setTimeout(900_000)

t.test('each fault that is planted in the desk is found', async (t) => {
  await inLanes(planted, async (fault) => {
    const { seed, breach } = await findPlanted(root, fault, 12, ownDatabase)
    t.ok(breach, `${fault.id} is found: ${fault.fault}`)
    t.comment(`${fault.id}, seed ${seed}: ${breach?.slice(0, 120)}`)
  })
})
