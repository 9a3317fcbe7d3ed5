/**
 * Kubernetes quantities: exact on the way in, canonical on the way out.
 * Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 * Rounding is always against us: demands round up, supply rounds down.
 */
const pattern = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?\d{1,3}))?$/
const binary: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const decimal: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

export type Rounding = 'up' | 'down'

/** A demand rounds up, a supply rounds down; throws `RangeError` on what is no quantity or does not fit a safe integer. */
function scaled(text: string, unitExponent: number, rounding: Rounding): number {
  const match = pattern.exec(text)
  if (!match || text.length > 64) throw new RangeError(`"${text}" is not a Kubernetes quantity`)
  const [, sign, digits = '0', suffix = '', exponent] = match
  const [whole = '', fraction = ''] = digits.split('.')
  let numerator = BigInt((whole || '0') + fraction)
  let tens = -fraction.length - unitExponent
  if (suffix in binary) numerator <<= binary[suffix] ?? 0n
  else tens += exponent === undefined ? (decimal[suffix] ?? 0) : Number(exponent)
  const denominator = tens < 0 ? 10n ** BigInt(-tens) : 1n
  if (tens > 0) numerator *= 10n ** BigInt(tens)
  if (sign === '-') numerator = -numerator
  const value = Number(rounding === 'up' ? ceilDivide(numerator, denominator) : floorDivide(numerator, denominator))
  if (!Number.isSafeInteger(value)) throw new RangeError(`"${text}" is too large`)
  return value
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a < 0n && a % b !== 0n ? a / b - 1n : a / b
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return -floorDivide(-a, b)
}

/** Whether the text is a non-negative Kubernetes quantity that we can hold exactly in whole units. */
export function isQuantity(text: string): boolean {
  try {
    return scaled(text, 0, 'up') >= 0 && !text.startsWith('-')
  } catch {
    return false
  }
}

/** CPU in millicores: `cpuMillis('0.1', 'up') === 100`. */
export function cpuMillis(text: string, rounding: Rounding): number {
  return scaled(text, -3, rounding)
}

/** Bytes, or any count: `wholeUnits('1536Mi', 'down') === 1610612736`. */
export function wholeUnits(text: string, rounding: Rounding): number {
  return scaled(text, 0, rounding)
}

/** One amount of a named resource as the integer we count in: millicores for `cpu`, bytes or pieces for all else. */
export function amountOf(resource: string, text: string, rounding: Rounding): number {
  return resource === 'cpu' ? cpuMillis(text, rounding) : wholeUnits(text, rounding)
}

/** Whether an amount of this resource fits: a quantity that is small enough as bytes may be too large as millicores. */
export function isAmount(resource: string, text: string): boolean {
  try {
    return amountOf(resource, text, 'up') >= 0
  } catch {
    return false
  }
}

/** The Kubernetes notation of an amount: 2147483648 of `memory` is `2Gi`, 2500 of `cpu` is `2500m`. */
export function formatAmount(resource: string, amount: number): string {
  if (resource === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`
  if (!isBytes(resource)) return String(amount)
  for (const [suffix, power] of [
    ['Ti', 40],
    ['Gi', 30],
    ['Mi', 20],
    ['Ki', 10],
  ] as const) {
    if (amount !== 0 && amount % 2 ** power === 0) return `${amount / 2 ** power}${suffix}`
  }
  return String(amount)
}

/** Which resources are counted in bytes; the rest, but `cpu`, is counted in pieces. */
export function isBytes(resource: string): boolean {
  return resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('storage/')
}

/** The unit label of kube-state-metrics for a resource. */
export function unitOf(resource: string): 'core' | 'byte' | 'integer' {
  if (resource === 'cpu') return 'core'
  return isBytes(resource) ? 'byte' : 'integer'
}
