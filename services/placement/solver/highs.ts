/** The only file that knows HiGHS, which is loaded when it is first needed: a program in, the chosen variables out. */
import type { Highs } from 'highs'
import { type Program, textOf } from './model.ts'

/** `late`: the time was over before the best was found or proved. `infeasible`: nothing satisfies all rows. */
export type Solved =
  | { readonly status: 'optimal'; readonly values: readonly number[]; readonly chosen: ReadonlySet<string> }
  | { readonly status: 'late' | 'infeasible' }

/**
 * The best by each objective in turn. `seconds` is for each of them, counted by HiGHS itself, which does not look at its
 * clock all the time: who needs certainty runs this where it can be stopped.
 */
export async function solve(program: Program, seconds: number): Promise<Solved> {
  const highs = await loadHighs()
  const values: number[] = []
  let chosen: ReadonlySet<string> = new Set()
  while (values.length < program.objectives.length) {
    const answer = highs.solve(textOf(program, values), {
      output_flag: false,
      time_limit: seconds,
      mip_rel_gap: 0,
      random_seed: 0,
    })
    if (answer.Status === 'Infeasible') return { status: 'infeasible' }
    if (answer.Status !== 'Optimal') return { status: 'late' }
    values.push(Math.round(answer.ObjectiveValue))
    chosen = new Set(
      Object.entries(answer.Columns as Record<string, { readonly Primal?: number }>).flatMap(([name, column]) =>
        (column.Primal ?? 0) > 0.5 ? [name] : [],
      ),
    )
  }
  return { status: 'optimal', values, chosen }
}

/** The package's types speak of a module with a default that is its loader, in whichever way it was loaded. */
async function loadHighs(): Promise<Highs> {
  const { default: loader } = (await import('highs')) as unknown as { default: () => Promise<Highs> }
  return loader()
}
