/** The certificate of a server, of an authority that is made for the test. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createAuthority, type Identity, issueServer } from '../../services/shared/x509.ts'
import { temporaryFolder } from '../support/folder.ts'

export interface ServerIdentity extends Identity {
  /** PEM of the authority. */
  readonly ca: string
  /** The paths of the same, gone with the test. */
  readonly files: Readonly<Record<'ca' | 'cert' | 'key', string>>
}

const hourMs = 3_600_000

export async function serverIdentity(t: Pick<Test, 'teardown'>, host: string): Promise<ServerIdentity> {
  const folder = temporaryFolder('server')
  t.teardown(folder.remove)
  const validity = { from: systemClock.now() - hourMs, until: systemClock.now() + 24 * hourMs }
  const { cert: ca, ...authority } = await createAuthority('servers', validity, systemRandom)
  const { cert, key } = await issueServer({ cert: ca, ...authority }, [host], validity, systemRandom)
  const files = {
    ca: join(folder.path, 'ca.pem'),
    cert: join(folder.path, 'cert.pem'),
    key: join(folder.path, 'key.pem'),
  }
  writeFileSync(files.ca, ca)
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key, { mode: 0o600 })
  return { ca, cert, key, files }
}
