/** What is declared to hold data, and what is known of the copies of it. */

export type Declared =
  | { readonly kind: 'cnpg'; readonly name: string }
  | { readonly kind: 'volsync'; readonly name: string; readonly repository: string; readonly schedule?: string }
  | { readonly kind: 'velero'; readonly name: string; readonly schedule?: string }

export interface DataState {
  readonly kind: 'cnpg' | 'volsync' | 'velero' | 'undeclared'
  readonly name: string
  /** Of the last copy that can be brought back, in milliseconds since the Unix epoch; null when none is known. */
  readonly goodAtMs: number | null
  readonly problem: string | null
}

/** What `promote` came to: `waiting` for what the operators at that site do, and to be asked again. */
export interface Promotion {
  readonly state: 'done' | 'waiting' | 'failed'
  readonly reason: string | null
}

export type Fields = Readonly<Record<string, unknown>>

/** An object of an operator as far as it is read here. */
export interface DataObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly object[]
  }
  readonly spec?: Fields
  readonly status?: Fields
}

/** What stands at a path of fields; undefined where it breaks off. */
export function at(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Fields)[name] : undefined),
    object,
  )
}

/** A duration of Go: `1h2m3.5s`. Undefined for what is none. */
export function durationMs(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^([\d.]+(h|ms|m|s))+$/.test(text)) return undefined
  const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
  return [...text.matchAll(/([\d.]+)(h|ms|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0),
    0,
  )
}

/** Undefined for what is no instant. */
export function instantMs(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}
