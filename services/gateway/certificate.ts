/** The certificate of the gateway: the configured one, or its own, which is kept so that kubeconfigs stay good. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'

export interface ServerIdentity {
  /** PEM: the certificate, with those between it and the authority. */
  readonly cert: string
  readonly key: string
  /** PEM: what a client has to trust. */
  readonly ca: string
}

export interface IdentityFiles {
  readonly cert: string
  readonly key: string
  readonly ca?: string | undefined
}

/** Who renews certificates puts the next one into the same files, as Kubernetes does with a Secret. */
const lookMs = 60_000
const dayMs = 24 * 3_600_000
const validDays = 3_650
const renewDays = 30

/** One that was made by somebody else, from its files. Throws with words when they are no certificate and its key. */
export function readIdentity(files: IdentityFiles): ServerIdentity {
  const cert = readFileSync(files.cert, 'utf8')
  const key = readFileSync(files.key, 'utf8')
  const ca = files.ca === undefined ? cert : readFileSync(files.ca, 'utf8')
  if (!isOfCertificate(cert, key))
    throw new Error(`${files.cert} and ${files.key} are not a certificate and its key in PEM`)
  return { cert, key, ca }
}

function isOfCertificate(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

/** Calls `changed` when the files hold another one. While they hold none that is whole, the one before stays. */
export function followIdentity(
  files: IdentityFiles,
  first: ServerIdentity,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  changed: (identity: ServerIdentity) => void,
): () => void {
  let last = first
  return clock.every(lookMs, () => {
    try {
      const next = readIdentity(files)
      if (next.cert === last.cert && next.key === last.key) return
      changed(next)
      last = next
      log.info({ until: new X509Certificate(next.cert).validTo }, 'the gateway has another certificate')
    } catch (error) {
      log.warn({ err: error }, 'the files of the certificate cannot be used; the one before stays')
    }
  })
}

/** One of our own for these names, kept in `directory`; made anew when the names are others or its end is near. */
export async function ownIdentity(
  directory: string,
  names: readonly string[],
  { clock, random }: { clock: Clock; random: Random },
): Promise<ServerIdentity> {
  const file = join(directory, 'gateway.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept) : undefined
  const enough = kept && Date.parse(new X509Certificate(kept.cert).validTo) - clock.now() > renewDays * dayMs
  if (kept && enough && names.every((name) => kept.names.includes(name))) return kept
  // Loaded only where one is made: it takes a tenth of a second.
  const { createAuthority, issueServer } = await import('../shared/x509.ts')
  const validity = { from: clock.now() - dayMs, until: clock.now() + validDays * dayMs }
  const authority = await createAuthority('gemeentecloud gateway authority', validity, random)
  const { cert, key } = await issueServer(authority, names, validity, random)
  const made: Kept = { names, cert, key, ca: authority.cert }
  writeFileSync(`${file}.draft`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.draft`, file)
  return made
}

interface Kept extends ServerIdentity {
  readonly names: readonly string[]
}
