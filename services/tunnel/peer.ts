/** Who is at the other end, from the certificate that TLS verified. */
import { createHash, type X509Certificate } from 'node:crypto'
import type { PeerCertificateFacts } from './model.ts'

/** Undefined when the certificate does not name exactly one datacenter. */
export function peerFacts(certificate: X509Certificate, address: string): PeerCertificateFacts | undefined {
  const { subject } = certificate.toLegacyObject()
  // Node.js gives a list where a name has several values, whatever its types say.
  const { CN: commonName, O: organisation = '' } = subject as unknown as Record<string, unknown>
  if (typeof commonName !== 'string' || typeof organisation !== 'string') return undefined
  if (!/^[\w.-]{1,100}$/.test(commonName)) return undefined
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return {
    datacenterId: commonName,
    organisation,
    spkiSha256: createHash('sha256').update(spki).digest('hex'),
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    address,
  }
}
