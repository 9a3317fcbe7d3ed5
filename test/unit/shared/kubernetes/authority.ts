/** Certificates for tests, written in DER by hand: Node reads X.509 but does not issue it. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface Identity {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
}

export interface Authority {
  /** PEM. */
  readonly ca: string
  /** A certificate for a server with these names and IPv4 addresses, or for a client with this name. */
  issue(commonName: string, names?: readonly string[]): Identity
}

export function createAuthority(name = 'test authority'): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const root = certificate({
    subject: name,
    issuer: name,
    key: own.publicKey,
    signer: own.privateKey,
    isAuthority: true,
  })
  return {
    ca: root,
    issue(commonName, names = []) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const cert = certificate({ subject: commonName, issuer: name, key: publicKey, signer: own.privateKey, names })
      return { cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }
    },
  }
}

interface Contents {
  readonly subject: string
  readonly issuer: string
  readonly key: KeyObject
  readonly signer: KeyObject
  readonly isAuthority?: boolean
  readonly names?: readonly string[]
}

function certificate({ subject, issuer, key, signer, isAuthority = false, names = [] }: Contents): string {
  const spki = key.export({ type: 'spki', format: 'der' })
  const extensions = [
    extension([2, 5, 29, 19], sequence(...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []))),
    extension([2, 5, 29, 14], der(0x04, createHash('sha1').update(spki).digest())),
    ...(names.length > 0 ? [extension([2, 5, 29, 17], sequence(...names.map(alternativeName)))] : []),
  ]
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
    nameOf(subject),
    spki,
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, signer)
  const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.of(0), signature])))
  const lines = whole.toString('base64').replaceAll(/(.{64})/g, '$1\n')
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`
}

function der(tag: number, content: Buffer): Buffer {
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function identifier([first = 0, second = 0, ...rest]: number[]): Buffer {
  const base128 = (n: number): number[] => (n < 128 ? [n] : [...base128(n >> 7).map((b) => b | 0x80), n & 0x7f])
  return der(0x06, Buffer.of(first * 40 + second, ...rest.flatMap(base128)))
}

const ecdsaWithSha256 = sequence(identifier([1, 2, 840, 10045, 4, 3, 2]))

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(identifier([2, 5, 4, 3]), der(0x0c, Buffer.from(commonName)))))
}

function extension(id: number[], value: Buffer): Buffer {
  return sequence(identifier(id), der(0x04, value))
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
}
