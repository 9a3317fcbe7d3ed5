/** `npm run simulate -- --seeds 1..5000 [--wide | --desk]`: says which seeds break what, and prints the trace of the first. */
import { parseArgs } from 'node:util'
import * as core from '../../services/fallback/index.ts'
import { seededRandom } from '../../services/shared/random.ts'
import { runDeskAlone } from './desk/alone.ts'
import { runSeed } from './run.ts'
import { drawWideSize } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..2000' },
    trace: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    /** Worlds of the whole desk, on a PostgreSQL of their own: some hundred times slower. */
    desk: { type: 'boolean', default: false },
  },
})
const [from = 1, to = from] = values.seeds.split('..').map(Number)
let failed = 0
let grants = 0
for (let seed = from; seed <= to; seed++) {
  const outcome = values.desk
    ? await runDeskAlone(seed)
    : runSeed(core, seed, values.wide ? drawWideSize(seededRandom(seed)) : undefined)
  grants += outcome.grants
  if (outcome.breach === undefined && !values.trace) continue
  if (outcome.breach !== undefined) failed += 1
  if (failed <= 1 || values.trace) for (const line of outcome.trace) console.log(line)
  console.log(`seed ${seed}: ${outcome.breach ?? 'held'}`)
}
console.log(`${to - from + 1} seeds, ${grants} grants, ${failed} broken`)
process.exit(failed > 0 ? 1 : 0)
