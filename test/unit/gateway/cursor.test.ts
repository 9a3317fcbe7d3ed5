/** One resourceVersion for several clusters: it holds each, grows with each, and is of one place. */
import fc from 'fast-check'
import t from 'tap'
import { ownVersion, placeOf, readCursor, writeCursor } from '../../../services/gateway/fanout/cursor.ts'

const version = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const place = placeOf(['dc_a plc_1', 'dc_b plc_2'])

/** As clients compare: numbers by length, then by digit. */
const isLater = (a: string, b: string) => a.length > b.length || (a.length === b.length && a > b)

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(fc.array(version, { minLength: 1, maxLength: 12 }), version, (versions, own) => {
      const text = writeCursor(place, { versions, own })
      const read = readCursor(text, place, versions.length)
      return (
        /^[1-9][0-9]+$/.test(text) &&
        read.kind === 'cursor' &&
        read.cursor.own === own &&
        read.cursor.versions.every((each, index) => each === versions[index]) &&
        ownVersion(text) === String(own)
      )
    }),
  )
})

t.test('it grows when any of them does', async () => {
  fc.assert(
    fc.property(
      fc.array(version, { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.bigInt({ min: 1n, max: 1_000n }),
      version,
      version,
      (versions, at, more, own, later) => {
        const index = at % versions.length
        const grown = versions.with(index, (versions[index] ?? 0n) + more)
        fc.pre((grown[index] ?? 0n) < 2n ** 64n)
        return isLater(writeCursor(place, { versions: grown, own: later }), writeCursor(place, { versions, own }))
      },
    ),
  )
})

t.test('of another place, or of none', async (t) => {
  const text = writeCursor(place, { versions: [5n, 6n], own: 0n })
  t.match(readCursor(text, placeOf(['dc_a plc_1', 'dc_b plc_3']), 2), { kind: 'foreign' })
  t.match(readCursor(text, place, 3), { kind: 'foreign' })
  for (const none of [null, '', '0']) t.match(readCursor(none, place, 2), { kind: 'none' })
  t.same(readCursor('42', place, 2), { kind: 'plain', version: 42n })
  for (const malformed of [
    'abc',
    '-1',
    '042',
    '1e3',
    `${text}1`,
    '9'.repeat(20),
    text.replace(/^1/, '2'),
    `1${'9'.repeat(52)}`,
  ])
    t.match(readCursor(malformed, place, 2), { kind: 'malformed' }, malformed)
  t.not(placeOf(['a b', 'c']), placeOf(['a', 'b c']))
})

t.test('the version of one object is that of its own cluster, and what is no cursor is left alone', async (t) => {
  t.equal(ownVersion(writeCursor(place, { versions: [5n, 6n], own: 12_345n })), '12345')
  for (const other of ['12345', '0', '', 'abc', '9'.repeat(20), '1'.repeat(54)])
    t.equal(ownVersion(other), undefined, other)
})

t.test('any text is read as something', async () => {
  fc.assert(fc.property(fc.string({ maxLength: 120 }), (text) => readCursor(text, place, 2).kind !== undefined))
})
