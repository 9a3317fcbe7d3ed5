/** What the all-in-one keeps beside its database: the key that seals credentials, and tokens for this machine. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../../schemas/index.ts'

export interface LocalAccess {
  /** Where the API listens just now. */
  api: string
  /** Where the gateway listens just now, and the authority (PEM) by which it is known. */
  gateway?: { readonly url: string; readonly ca: string }
  readonly encryptionKey: string
  readonly tokens: { loket: string } & Partial<Record<Role, string>>
}

const fileIn = (directory: string) => join(directory, 'access.json')

/** Reads `access.json`, or makes one with a fresh key and a token for the loket. */
export function readLocalAccess(directory: string): LocalAccess {
  const file = fileIn(directory)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as LocalAccess
  const access: LocalAccess = {
    api: '',
    encryptionKey: randomBytes(32).toString('base64'),
    tokens: { loket: `gc_${randomBytes(32).toString('hex')}` },
  }
  writeLocalAccess(directory, access)
  return access
}

/** Replaces `access.json` as a whole, readable by its owner alone. */
export function writeLocalAccess(directory: string, access: LocalAccess): void {
  const draft = `${fileIn(directory)}.draft`
  writeFileSync(draft, `${JSON.stringify(access, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, fileIn(directory))
}
