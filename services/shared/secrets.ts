/** Secrets at rest: each under a key of its own, and that key under the installation's key (envelope, AES-256-GCM). */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { type Random, systemRandom } from './random.ts'

export interface Secrets {
  /** Encrypts; only the same `context` (what the secret belongs to) opens it again. */
  seal(plaintext: string, context: string): Buffer
  /** Throws when the secret was changed, moved to another context, or sealed under a key that is not given. */
  open(sealed: Uint8Array, context: string): string
}

/** What is stored was sealed under a key that this process was not given. */
export class UnknownKey extends Error {
  override readonly name = 'UnknownKey'
  constructor() {
    super(
      'the store is sealed under another encryption key: set ENCRYPTION_KEY to the one that its other replicas have',
    )
  }
}

// version 1 │ key id 4 │ nonce 12 │ wrapped data key 32 │ tag 16 │ nonce 12 │ tag 16 │ ciphertext
const version = 1
const keyBytes = 32
const idBytes = 4
const nonceBytes = 12
const tagBytes = 16

/** `current` seals; it and `previous` open, so that a key is rotated by sealing again. Each key is 32 bytes. */
export function createSecrets(
  current: Uint8Array,
  previous: readonly Uint8Array[] = [],
  random: Random = systemRandom,
): Secrets {
  const keys = [current, ...previous]
  for (const key of keys)
    if (key.length !== keyBytes) throw new RangeError(`an encryption key has ${keyBytes} bytes, not ${key.length}`)
  const currentId = keyId(current)

  return {
    seal(plaintext, context) {
      const head = Buffer.concat([Buffer.of(version), currentId])
      const dataKey = random.bytes(keyBytes)
      const wrapped = encrypt(current, dataKey, aad(head, context), random)
      const body = encrypt(dataKey, Buffer.from(plaintext), aad(head, context), random)
      return Buffer.concat([
        head,
        wrapped.nonce,
        wrapped.ciphertext,
        wrapped.tag,
        body.nonce,
        body.tag,
        body.ciphertext,
      ])
    },
    open(sealed, context) {
      const buffer = Buffer.from(sealed)
      if (buffer.length < 1 + idBytes + 2 * (nonceBytes + tagBytes) + keyBytes || buffer[0] !== version)
        throw new Error('not a sealed secret')
      let at = 0
      const take = (length: number) => {
        at += length
        return buffer.subarray(at - length, at)
      }
      const head = take(1 + idBytes)
      const key = keys.find((candidate) => keyId(candidate).equals(head.subarray(1)))
      if (!key) throw new UnknownKey()
      const dataKey = decrypt(
        key,
        { nonce: take(nonceBytes), ciphertext: take(keyBytes), tag: take(tagBytes) },
        aad(head, context),
      )
      const body = { nonce: take(nonceBytes), tag: take(tagBytes), ciphertext: buffer.subarray(at) }
      return decrypt(dataKey, body, aad(head, context)).toString('utf8')
    },
  }
}

interface Box {
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

function encrypt(key: Uint8Array, plaintext: Uint8Array, bound: Buffer, random: Random): Box {
  const nonce = random.bytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(bound)
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { nonce, ciphertext, tag: cipher.getAuthTag() }
}

function decrypt(key: Uint8Array, { nonce, ciphertext, tag }: Box, bound: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(bound)
  decipher.setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

const aad = (head: Buffer, context: string) => Buffer.concat([head, Buffer.from(context)])

/** Names a key without telling anything of it. */
const keyId = (key: Uint8Array) =>
  createHash('sha256').update('gemeentecloud key id\0').update(key).digest().subarray(0, idBytes)
