/** What a datacenter can enforce, what can cut it off from outside, and whether a restored store waits for it. */
import type { Attestations, Fence, Fencing } from '../../schemas/index.ts'
import { line } from './text.ts'

const levels = [
  'nothing is enforced',
  'its agent stops what it lost',
  'a guard on every node stops what it lost',
  'a guard on every node, and a fence from outside',
]

/** What there is beside the datacenter itself; undefined where it is not for the caller to see. */
export interface Cutting {
  /** Null where there is none. */
  readonly fence: Fence | null | undefined
  /** Undefined too where no store is in doubt of it. */
  readonly doubt: Attestations | undefined
}

export function fencingLines(fencing: Fencing, { fence, doubt }: Cutting): string[] {
  return [
    `fencing         ${fencingText(fencing)}`,
    ...(fence === undefined ? [] : [`fence           ${fence === null ? 'none' : fenceText(fence)}`]),
    ...(doubt === undefined ? [] : [`doubt           ${doubtText(doubt)}`]),
  ]
}

function fencingText({ level, stopSeconds, measuredStopSeconds: measured }: Fencing): string {
  const seen = measured === null ? 'never measured' : line`${measured.toFixed(1)} s at most was seen`
  const late = measured !== null && measured > stopSeconds ? ', so it is not counted on to fence' : ''
  return line`level ${level} (${levels[level] ?? ''}), stops within ${stopSeconds} s; ${seen}` + late
}

export function fenceText({ url, declaredAt, lastAsked }: Fence): string {
  const where = line`${url} since ${declaredAt}; `
  if (lastAsked === null) return `${where}never asked to cut it off`
  const { askedAt, state, answer, answeredAt } = lastAsked
  const said = answer === null ? '' : line`: ${answer}`
  return where + line`last asked ${askedAt}, ${state}${answeredAt === null ? '' : ` ${answeredAt}`}` + said
}

const doubtText = ({ attestations, needed }: Attestations) =>
  line`a restored store waits for what it runs; ${attestations.length} of ${needed} say that it is off`
