/** Whether certificates and keys from outside are what they should be, before TLS fails on them with less to say. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

const pemCertificate = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** Why this is not base64 of one or more certificates in PEM; undefined when it is. */
export function certificateError(data: string): string | undefined {
  const pem = decode(data)
  if (pem === undefined) return 'is not base64'
  const certificates = pem.match(pemCertificate) ?? []
  const rest = pem.replaceAll(pemCertificate, '')
  if (certificates.length === 0 || rest.includes('-----')) return 'must hold certificates in PEM and nothing else'
  return certificates.every(isCertificate) ? undefined : 'holds a certificate that cannot be read'
}

/** Why this certificate and key do not make an identity; undefined when they do. */
export function identityError(
  certData: string,
  keyData: string,
): { field: 'client-certificate-data' | 'client-key-data'; message: string } | undefined {
  const message = certificateError(certData)
  if (message) return { field: 'client-certificate-data', message }
  const key = privateKey(decode(keyData) ?? '')
  if (!key) return { field: 'client-key-data', message: 'must hold one private key in PEM, without a passphrase' }
  const matches = new X509Certificate(decode(certData) ?? '').checkPrivateKey(key)
  return matches ? undefined : { field: 'client-key-data', message: 'is not the key of the certificate' }
}

/** Node skips what is no base64; here it is a mistake to name. */
function decode(data: string): string | undefined {
  const compact = data.replaceAll(/\s/g, '')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return undefined
  return Buffer.from(compact, 'base64').toString('utf8')
}

/** Whether this PEM holds a certificate that can be read. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
