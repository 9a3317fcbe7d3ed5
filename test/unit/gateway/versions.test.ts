/** What a watch gave comes back with the version of its own cluster; everything else stays byte for byte. */
import t from 'tap'
import { placeOf, writeCursor } from '../../../services/gateway/fanout/cursor.ts'
import { ownQuery, ownVersions } from '../../../services/gateway/versions.ts'

const cursor = writeCursor(placeOf(['dc_a plc_1', 'dc_b plc_2']), { versions: [900n, 800n], own: 777n })
const json = (text: string, type = 'application/json') => {
  const content = ownVersions({ body: Buffer.from(text), type })
  return content.body.toString('utf8')
}

t.test('in objects, in preconditions and in tests of a patch', async (t) => {
  t.equal(json(`{"metadata":{"resourceVersion":"${cursor}"}}`), '{"metadata":{"resourceVersion":"777"}}')
  t.equal(json(`{"preconditions": {"resourceVersion": "${cursor}"}}`), '{"preconditions": {"resourceVersion": "777"}}')
  t.equal(json(`metadata:\n  resourceVersion: "${cursor}"\n`), 'metadata:\n  resourceVersion: "777"\n')
  t.equal(json(`metadata:\n  resourceVersion: ${cursor}\n`), 'metadata:\n  resourceVersion: "777"\n', 'it stays text')
  t.equal(
    json(`[{"op":"test","path":"/metadata/resourceVersion","value":"${cursor}"}]`),
    '[{"op":"test","path":"/metadata/resourceVersion","value":"777"}]',
  )
})

t.test('nothing else is touched', async (t) => {
  for (const text of [
    '{"metadata":{"resourceVersion":"12345"},"n":12345678901234567890}',
    `{"data":{"tekst":"${cursor}"}}`,
    `{"metadata":{"annotations":{"last":"{\\"resourceVersion\\":\\"${cursor}\\"}"}}}`,
    `{"data":{"mijn-resourceVersion":"${cursor}"}}`,
    '',
  ])
    t.equal(json(text), text)
})

t.test('what cannot be read here is not passed on with a version that nobody knows', async (t) => {
  t.throws(() => json(`k8s\0resourceVersion ${cursor}`, 'application/vnd.kubernetes.protobuf'), {
    code: 'UnsupportedMediaType',
  })
  t.throws(() => json(`${cursor}`, 'application/cbor'), { code: 'UnsupportedMediaType' })
  t.equal(json('k8s\0 binary', 'application/vnd.kubernetes.protobuf'), 'k8s\0 binary')
})

t.test('in a query', async (t) => {
  const of = (text: string) => ownQuery(new URLSearchParams(text)).toString()
  t.equal(of(`resourceVersion=${cursor}&a=b`), 'resourceVersion=777&a=b')
  t.equal(of('resourceVersion=12&a=b'), 'resourceVersion=12&a=b')
  t.equal(of(`resourceVersion=${cursor.slice(0, -20)}${'0'.repeat(20)}`), '')
})
