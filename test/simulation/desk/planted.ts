/** Faults that somebody could make in the desk around the protocol: in its store code, its loops and what they commit. */
import { type Finding, onCopy, type Planted } from '../planted.ts'
import type { Outcome } from '../run.ts'
import type { OwnDatabase } from './alone.ts'

const fallback = 'services/broker/fallback'
export const planted: readonly Planted[] = [
  {
    id: 'D1',
    fault: 'a hand-over changes the row and not the placements',
    file: `${fallback}/commit.ts`,
    find: 'if (grants.length > 0) await handOver(',
    replace: 'if (grants.length > 99) await handOver(',
  },
  {
    id: 'D2',
    fault: 'what is left at an old site keeps its claim for ever',
    file: `${fallback}/commit.ts`,
    find: 'if (left.length > 0) await standDown(',
    replace: 'if (left.length > 99) await standDown(',
  },
  {
    id: 'D3',
    fault: 'an operation that has come to its end stays open',
    file: `${fallback}/operations/finish/steps.ts`,
    find: "if (trouble === undefined) return 'done'",
    replace: "if (trouble === undefined) return 'running'",
  },
  {
    id: 'D4',
    fault: 'the reserve of a standby does not become the claim of what runs there now',
    file: `${fallback}/hand-over.ts`,
    find: 'await mergeClaims(sql, claims, now)',
    replace: 'if (claims.length > 99) await mergeClaims(sql, claims, now)',
  },
]

/** `fresh`: a migrated, empty database of its own for each world. */
export function findPlanted(
  root: string,
  fault: Planted,
  seeds: number,
  fresh: () => Promise<OwnDatabase>,
): Promise<Finding> {
  return onCopy(root, ['services', 'schemas', 'test/simulation'], fault, async (load) => {
    const { runDeskSeed } = await load('test/simulation/desk/run.ts')
    for (let seed = 1; seed <= seeds; seed++) {
      const { database, drop } = await fresh()
      const { breach } = (await runDeskSeed(database, seed).finally(drop)) as Outcome
      if (breach !== undefined) return { seed, breach }
    }
    return {}
  })
}
