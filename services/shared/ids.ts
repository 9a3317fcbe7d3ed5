/** Identifiers: a prefix that names the kind, and a UUIDv7 (RFC 9562) in Crockford base32: sortable by birth, greppable. */
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

export type IdPrefix =
  | 'pty'
  | 'dc'
  | 'off'
  | 'sys'
  | 'hst'
  | 'quo'
  | 'pln'
  | 'mov'
  | 'plc'
  | 'clm'
  | 'evt'
  | 'tok'
  | 'opr'
  | 'fnc'
  | 'dpl'
  | 'drl'
  | 'req'
  | 'jtk'
  | 'enr'
  | 'cau'
export type Id<P extends IdPrefix> = `${P}_${string}`

/** Makes an id of the given kind, for example `hst_06b8…` (26 characters after the prefix). */
export function newId<P extends IdPrefix>(prefix: P, clock: Clock, random: Random): Id<P> {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(clock.now()) << 16n)
  bytes.set(random.bytes(10), 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `${prefix}_${base32(bytes)}`
}

/** Crockford base32, lower case, most significant bit first. */
export function base32(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  const length = Math.ceil((bytes.length * 8) / 5)
  let text = ''
  for (let i = 0; i < length; i++) {
    text = alphabet[Number(value & 31n)] + text
    value >>= 5n
  }
  return text
}

/** A random UUID (RFC 9562, version 4), where somebody else's format asks for one. */
export function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
