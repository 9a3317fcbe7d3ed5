/** Sealed secrets open only with their key and for what they belong to. */
import fc from 'fast-check'
import t from 'tap'
import { createSecrets } from '../../../services/shared/secrets.ts'

const key = (fill: number) => new Uint8Array(32).fill(fill)

t.test('what is sealed opens again, for any text', async (t) => {
  const secrets = createSecrets(key(1))
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.string(), (text, context) => {
      t.equal(secrets.open(secrets.seal(text, context), context), Buffer.from(text).toString('utf8'))
    }),
    { numRuns: 100 },
  )
})

t.test('the same secret never looks the same, and shows nothing of itself', async (t) => {
  const secrets = createSecrets(key(1))
  const sealed = secrets.seal('a secret of some length', 'dc_1')
  t.notOk(sealed.equals(secrets.seal('a secret of some length', 'dc_1')))
  t.notOk(sealed.includes('secret'))
})

t.test('a secret does not open elsewhere, changed, cut short or without its key', async (t) => {
  const secrets = createSecrets(key(1))
  const sealed = secrets.seal('token', 'dc_1')
  t.throws(() => secrets.open(sealed, 'dc_2'))
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.throws(() => secrets.open(changed, 'dc_1'), `byte ${at}`)
    t.throws(() => secrets.open(sealed.subarray(0, at), 'dc_1'), `length ${at}`)
  }
  t.throws(() => createSecrets(key(2)).open(sealed, 'dc_1'), /under another encryption key/)
})

t.test('keys rotate: the new one seals, the old one still opens', async (t) => {
  const sealed = createSecrets(key(1)).seal('token', 'dc_1')
  const rotated = createSecrets(key(2), [key(1)])
  t.equal(rotated.open(sealed, 'dc_1'), 'token')
  t.equal(createSecrets(key(2)).open(rotated.seal('token', 'dc_1'), 'dc_1'), 'token')
  t.throws(() => createSecrets(new Uint8Array(16)), /32 bytes/)
})
