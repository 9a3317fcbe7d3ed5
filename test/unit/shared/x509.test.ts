/** Certificates hold what they should: Node.js's own reader and TLS take them, and requests show who holds the key. */
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { systemRandom } from '../../../services/shared/random.ts'
import {
  createAuthority,
  createKey,
  createRequest,
  issueClient,
  issueServer,
  keyHash,
  readRequest,
} from '../../../services/shared/x509.ts'

const dayMs = 24 * 3_600_000
const from = Date.UTC(2026, 0, 1)
const validity = { from, until: from + 90 * dayMs }
const authority = await createAuthority('desk', validity, systemRandom)
const other = await createAuthority('desk', validity, systemRandom)

t.test('an authority issues for servers and for clients, each for its own use', async (t) => {
  const ca = new X509Certificate(authority.cert)
  t.ok(ca.ca && ca.verify(ca.publicKey))
  const server = await issueServer(authority, ['desk.example', '127.0.0.1', '::1'], validity, systemRandom)
  const read = new X509Certificate(server.cert)
  t.ok(read.checkIssued(ca) && read.verify(ca.publicKey))
  t.notOk(read.verify(new X509Certificate(other.cert).publicKey), 'of the same name, and yet another')
  t.ok(read.checkHost('desk.example') && read.checkIP('127.0.0.1') && read.checkIP('::1'))
  t.notOk(read.checkHost('other.example'))
  t.same(read.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.notOk(read.ca)
  t.equal(new Date(read.validTo).getTime(), validity.until)

  const key = createKey()
  const asked = await readRequest(await createRequest(key, 'agent'))
  const cert = await issueClient(
    authority,
    { commonName: 'dc_1', organisation: 'agents' },
    asked?.spki ?? Buffer.of(),
    validity,
    systemRandom,
  )
  const client = new X509Certificate(cert)
  t.match(client.subject, /^CN=dc_1\nO=agents$/)
  t.same(client.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  t.ok(client.verify(ca.publicKey))
  t.same(keyHash(cert), keyHash(key))
  t.same(asked?.hash, keyHash(key))
})

t.test('a request counts only when its own key signed it', async (t) => {
  const pem = await createRequest(createKey(), 'agent')
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const changed = Buffer.from(der)
  changed[changed.length - 5] = (changed[changed.length - 5] ?? 0) ^ 1
  const wrap = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  t.ok(await readRequest(wrap(der)))
  t.equal(await readRequest(wrap(changed)), undefined)
  t.equal(await readRequest(wrap(der.subarray(0, 60))), undefined)
  t.equal(await readRequest(`${pem}${pem}`), undefined)
  t.equal(await readRequest(authority.cert), undefined)
  t.equal(await readRequest(''), undefined)
})
