/**
 * A certificate authority and a server certificate for loopback, made on the spot: Node.js can sign, but not build X.509
 * (RFC 5280).
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

export interface ServerCertificate {
  /** PEM. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

const dayMs = 24 * 3_600_000
const validDays = 3_650
const ecdsaWithSha256 = '1.2.840.10045.4.3.2'

/** For `127.0.0.1`, `::1` and `localhost`. */
export function createServerCertificate(clock: Clock, random: Random): ServerCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = 'gemeentecloud sandbox authority'
  const made = { clock, random, issuer, signer: authority.privateKey }
  const ca = build({
    ...made,
    subject: issuer,
    key: authority.publicKey,
    extensions: [basicConstraints, keyUsage(0x06)],
  })
  const leaf = build({
    ...made,
    subject: 'sandbox',
    key: server.publicKey,
    extensions: [keyUsage(0x80), loopbackNames],
  })
  const key = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { ca: pem(ca), certificate: pem(leaf), key }
}

interface Plan {
  readonly clock: Clock
  readonly random: Random
  readonly issuer: string
  readonly subject: string
  readonly key: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
}

function build({ clock, random, issuer, subject, key, signer, extensions }: Plan): Buffer {
  const algorithm = sequence(oid(ecdsaWithSha256))
  const serial = Buffer.from(random.bytes(16))
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(serial),
    algorithm,
    name(issuer),
    sequence(time(clock.now() - dayMs), time(clock.now() + validDays * dayMs)),
    name(subject),
    key.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  return sequence(body, algorithm, bitString(sign('sha256', body, signer)))
}

const tagged = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  if (content.length < 128) return Buffer.concat([Buffer.of(tag, content.length), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  const short = length.subarray(length.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.of(tag, 0x80 | short.length), short, content])
}
const sequence = (...parts: readonly Buffer[]) => tagged(0x30, ...parts)
const integer = (value: Buffer) => tagged(0x02, value)
const bitString = (value: Buffer) => tagged(0x03, Buffer.of(0), value)
const octets = (value: Buffer) => tagged(0x04, value)
const name = (text: string) => sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(text)))))
const time = (at: number) => tagged(0x18, Buffer.from(new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '')))

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const groups = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return tagged(0x06, Buffer.of(first * 40 + second, ...bytes))
}

const isTrue = tagged(0x01, Buffer.of(0xff))
const extension = (id: string, value: Buffer) => sequence(oid(id), isTrue, octets(value))
const basicConstraints = extension('2.5.29.19', sequence(isTrue))
const keyUsage = (bits: number) => extension('2.5.29.15', tagged(0x03, Buffer.of(1, bits)))
const loopbackNames = extension(
  '2.5.29.17',
  sequence(
    tagged(0x87, Buffer.of(127, 0, 0, 1)),
    tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])),
    tagged(0x82, Buffer.from('localhost')),
  ),
)

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
