/** Which property holds which promises to how many random worlds; what is counted is what has run. */
import fc from 'fast-check'
import { worlds } from './worlds.ts'

/** By the exact checker and its own sums, never by figures of the engine. */
export const properties = {
  told: { promises: ['P1', 'P2'], worlds: 1500 },
  placed: { promises: ['P1', 'P2', 'P4'], worlds: 1000 },
  'room-kept': { promises: ['P1', 'P2'], worlds: 1000 },
  'room-left': { promises: ['P2'], worlds: 600 },
  exactness: { promises: ['P1', 'P2'], worlds: 1000 },
  reasons: { promises: ['P3'], worlds: 1000 },
  'nearest-miss': { promises: ['P3'], worlds: 500 },
  turns: { promises: ['P5'], worlds: 1000 },
  'giving-way': { promises: ['P5'], worlds: 500 },
  'own-period': { promises: ['P6'], worlds: 600 },
  'on-the-day': { promises: ['P6'], worlds: 400 },
} as const satisfies Record<string, { promises: readonly `P${1 | 2 | 3 | 4 | 5 | 6}`[]; worlds: number }>

/** Throws with the smallest world found in which it does not hold: that one goes into `regressions.test.ts`. */
export function inWorlds<Ts extends unknown[]>(
  t: { equal: (found: number, wanted: number, message: string) => void },
  name: keyof typeof properties,
  property: fc.IProperty<Ts>,
): void {
  const { promises, worlds: asked } = properties[name]
  const run = fc.check(property, { numRuns: worlds(asked) })
  const failure = fc.defaultReportMessage(run)
  if (failure !== undefined) throw new Error(failure, { cause: run.errorInstance })
  t.equal(run.numRuns, worlds(asked), `${promises.join(', ')} held in ${run.numRuns} worlds`)
}
