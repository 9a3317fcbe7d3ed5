/** Certificates: authorities, what they issue, and requests for it (RFC 5280, RFC 2986). Node.js reads X.509, but makes none. */
import 'reflect-metadata'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { Random } from './random.ts'

/** A certificate and its key, both PEM; the key is PKCS #8 without a passphrase. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Validity {
  /** Epoch milliseconds. */
  readonly from: number
  readonly until: number
}

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const usage = x509.KeyUsageFlags
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

/** A new private key on P-256, as PEM. */
export function createKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The hash by which a key is known: SHA-256 over its SubjectPublicKeyInfo. Takes anything PEM that holds or implies it. */
export function keyHash(pem: string): Buffer {
  return hashOf(createPublicKey(pem).export({ type: 'spki', format: 'der' }))
}

const hashOf = (spki: Uint8Array) => createHash('sha256').update(spki).digest()

/** An authority that issues what the functions below make, and no further authorities. */
export async function createAuthority(commonName: string, validity: Validity, random: Random): Promise<Identity> {
  const key = createKey()
  const subject = `CN=${commonName}`
  const cert = await build(subject, { issuer: subject, key }, createPublicKey(key), validity, random, [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(usage.keyCertSign | usage.cRLSign, true),
  ])
  return { cert, key }
}

/** A server's key and certificate for these host names and addresses. */
export async function issueServer(
  authority: Identity,
  names: readonly string[],
  validity: Validity,
  random: Random,
): Promise<Identity> {
  const key = createKey()
  const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const)
  const cert = await issue(`CN=${names[0]}`, authority, createPublicKey(key), validity, random, [
    new x509.KeyUsagesExtension(usage.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([serverAuth]),
    new x509.SubjectAlternativeNameExtension(alternatives),
  ])
  return { cert, key }
}

export interface ClientName {
  readonly commonName: string
  readonly organisation: string
}

/** A certificate for a client that holds the key of `spki`. Both names are words without the special characters of X.500. */
export function issueClient(
  authority: Identity,
  { commonName, organisation }: ClientName,
  spki: Uint8Array,
  validity: Validity,
  random: Random,
): Promise<string> {
  const publicKey = createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' })
  return issue(`CN=${commonName},O=${organisation}`, authority, publicKey, validity, random, [
    new x509.KeyUsagesExtension(usage.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([clientAuth]),
  ])
}

/** A request for a certificate for this key, signed by it: PEM. */
export async function createRequest(key: string, commonName: string): Promise<string> {
  const keys = { privateKey: await signingKey(key), publicKey: await verifyingKey(createPublicKey(key)) }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ecdsa,
  })
  return `${request.toString('pem')}\n`
}

/**
 * The key of a request whose sender has shown to hold it. Undefined when it is no request, is not signed by its own key, or
 * that is not on P-256, which is all that our agents make. Names and extensions that it asks for are nobody's business.
 */
export async function readRequest(pem: string): Promise<{ spki: Buffer; hash: Buffer } | undefined> {
  if (!/^-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/.test(pem))
    return undefined
  try {
    const request = new x509.Pkcs10CertificateRequest(pem)
    const spki = Buffer.from(request.publicKey.rawData)
    const { asymmetricKeyDetails } = createPublicKey({ key: spki, type: 'spki', format: 'der' })
    if (asymmetricKeyDetails?.namedCurve !== 'prime256v1' || !(await request.verify())) return undefined
    return { spki, hash: hashOf(spki) }
  } catch {
    // What a stranger sent cannot be read; how it fails is of no use to anybody.
    return undefined
  }
}

function issue(
  subject: string,
  authority: Identity,
  publicKey: KeyObject,
  validity: Validity,
  random: Random,
  extensions: x509.Extension[],
): Promise<string> {
  const { subject: issuer } = new x509.X509Certificate(authority.cert)
  const constraints = new x509.BasicConstraintsExtension(false, undefined, true)
  return build(subject, { issuer, key: authority.key }, publicKey, validity, random, [constraints, ...extensions])
}

async function build(
  subject: string,
  signer: { readonly issuer: string; readonly key: string },
  publicKey: KeyObject,
  { from, until }: Validity,
  random: Random,
  extensions: x509.Extension[],
): Promise<string> {
  const issuerKey = await verifyingKey(createPublicKey(signer.key))
  const serial = Buffer.from(random.bytes(16))
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const own = await verifyingKey(publicKey)
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: signer.issuer,
    serialNumber: serial.toString('hex'),
    notBefore: new Date(from),
    notAfter: new Date(until),
    publicKey: own,
    signingKey: await signingKey(signer.key),
    signingAlgorithm: ecdsa,
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(own),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

const signingKey = async (pem: string) => createPrivateKey(pem).toCryptoKey(ecdsa, true, ['sign'])
const verifyingKey = async (key: KeyObject) => key.toCryptoKey(ecdsa, true, ['verify'])
