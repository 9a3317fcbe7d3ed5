/** What a hosting may do, as variables of a program, and sums of them as text. */
import type { PlacedHosting } from '../model.ts'

/** Seats that one hosting may have; `x` with its number is 1 when it has these. */
export interface Option {
  readonly number: number
  readonly placed: PlacedHosting
  /** It is how the hosting stands. */
  readonly stands: boolean
  readonly unmoved: boolean
  readonly extra: boolean
  readonly weighed: number
}

export const variable = ({ number }: Option) => `x${number}`

/** Without those that count nothing; never empty, which the format does not know. */
export function sum(terms: readonly (readonly [factor: number, option: Option])[]): string {
  const parts = terms.filter(([factor]) => factor !== 0)
  if (parts.length === 0) return terms[0] ? `0 ${variable(terms[0][1])}` : '0 x0'
  return parts.map(([factor, option]) => `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${variable(option)}`).join(' ')
}
