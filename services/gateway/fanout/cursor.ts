/**
 * One resourceVersion for a collection that is spread over clusters, each of which counts for itself. It is a number, as
 * clients may compare those of one collection: they grow with every change.
 */
import { createHash } from 'node:crypto'

/** Where a reader is in each member, in the order of the cells; 0n: it has seen nothing of it. */
export interface Cursor {
  readonly versions: readonly bigint[]
  /** The resourceVersion that one object has in its own cluster; 0n for a collection. */
  readonly own: bigint
}

export type ReadCursor =
  | { readonly kind: 'none' }
  /** As one cluster gave it. */
  | { readonly kind: 'plain'; readonly version: bigint }
  | { readonly kind: 'cursor'; readonly cursor: Cursor }
  /** It was given for other clusters or namespaces than these. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'malformed' }

const mark = '1'
const placeDigits = 12
const versionDigits = 20
/** The largest number that an API server counts with. */
const greatest = 2n ** 64n - 1n

/** Twelve digits for where a collection is: which namespaces of which clusters. Another place, other digits. */
export function placeOf(parts: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest()
  return String(digest.readBigUInt64BE() % 10n ** BigInt(placeDigits)).padStart(placeDigits, '0')
}

export function writeCursor(place: string, { versions, own }: Cursor): string {
  return mark + place + [...versions, own].map((version) => String(version).padStart(versionDigits, '0')).join('')
}

export function readCursor(text: string | null, place: string, members: number): ReadCursor {
  if (text === null || text === '' || text === '0') return { kind: 'none' }
  if (!/^[1-9][0-9]*$/.test(text)) return { kind: 'malformed' }
  if (text.length <= versionDigits) {
    const version = BigInt(text)
    return version > greatest ? { kind: 'malformed' } : { kind: 'plain', version }
  }
  const head = mark.length + placeDigits
  if (!text.startsWith(mark) || (text.length - head) % versionDigits !== 0) return { kind: 'malformed' }
  const numbers = text.slice(head).match(/[0-9]{20}/g) ?? []
  const all = numbers.map(BigInt)
  if (all.some((version) => version > greatest)) return { kind: 'malformed' }
  const own = all.pop() ?? 0n
  if (text.slice(mark.length, head) !== place || all.length !== members) return { kind: 'foreign' }
  return { kind: 'cursor', cursor: { versions: all, own } }
}

/**
 * What an object that was seen in a watch has as resourceVersion in its own cluster: what a client sends back with a change
 * of it. Undefined for anything else than a cursor.
 */
export function ownVersion(text: string): string | undefined {
  const isCursor =
    text.length > versionDigits &&
    /^1[0-9]*$/.test(text) &&
    (text.length - mark.length - placeDigits) % versionDigits === 0
  if (!isCursor) return undefined
  return String(BigInt(text.slice(-versionDigits)))
}
