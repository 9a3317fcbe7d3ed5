/** What ajv finds becomes pointers and words; nothing is dropped, coerced or filled in on the way. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import Type, { type TSchema } from 'typebox'
import { accepts } from '../../../../schemas/common.ts'
import { createAjv, fieldErrors, fieldFormats } from '../../../../services/shared/http/validation.ts'

function found(schema: TSchema, value: unknown, part = 'body'): [string, string][] {
  const validate = createAjv().compile(schema)
  const before = JSON.stringify(value)
  validate(value)
  if (JSON.stringify(value) !== before) throw new Error('the value was changed')
  return fieldErrors(validate.errors ?? [], part).map(({ pointer, message }) => [pointer, message])
}
const closed = { additionalProperties: false }
const person = Type.Object({ name: Type.String(), age: Type.Optional(Type.Integer({ default: 7 })) }, closed)

t.test('every field at once, by pointer', async (t) => {
  t.same(found(person, {}), [['/name', 'is required']])
  t.same(found(person, { name: 1, age: '2', 'a/b~c': 0 }), [
    ['/a~1b~0c', 'is not a field we know'],
    ['/name', 'must be text: in quotes, "1"'],
    ['/age', 'must be a whole number'],
  ])
  t.same(found(Type.Array(person), [{ name: 'x' }, {}]), [['/1/name', 'is required']])
  t.same(found(person, [], 'querystring'), [['/query', 'must be an object: fields with their values']])
  t.same(found(person, {}, 'headers'), [['/headers/name', 'is required']])
  t.same(found(person, {}, 'params'), [['/params/name', 'is required']])
})

t.test('what YAML took for something else is said as it should be written', async (t) => {
  const name = (value: unknown) => found(person, { name: value })[0]?.[1]
  t.equal(name(1200), 'must be text: in quotes, "1200"')
  t.equal(name(true), 'must be text: in quotes, "true"')
  t.equal(name(null), 'must be text, and nothing is given')
  t.equal(name({ secret: 1 }), 'must be text')
  const limits = Type.Object({ n: Type.Number({ minimum: 1, maximum: 5 }), list: Type.Array(Type.Boolean()) })
  t.same(found(limits, { n: 0, list: 1 }), [
    ['/n', 'must be at least 1, and is 0'],
    ['/list', 'must be a list'],
  ])
  t.same(found(limits, { n: 6, list: ['yes'] }), [
    ['/n', 'must be at most 5, and is 6'],
    ['/list/0', 'must be true or false'],
  ])
})

t.test('one of several shapes is told once, with the choices', async (t) => {
  const word = Type.Object({ kind: Type.Union([Type.Literal('push'), Type.Literal('pull'), Type.Null()]) })
  const one = 'must be one of "push", "pull", null'
  for (const kind of [{}, []]) t.same(found(word, { kind }), [['/kind', one]])
  for (const kind of ['x', 1]) t.same(found(word, { kind }), [['/kind', `${one}, and is ${JSON.stringify(kind)}`]])
  t.same(found(Type.Literal('on'), 'off'), [['', 'must be "on", and is "off"']])
})

t.test('what is accepted and what was sent, but no secret', async (t) => {
  const words = { pattern: '^https://', ...accepts('an address with https') }
  const address = (value: string, more: object = {}) => found(Type.String({ ...words, ...more }), value)[0]?.[1]
  t.equal(address('http://a'), 'must be an address with https, and is "http://a"')
  t.equal(address('http://jan:geheim@a/b'), 'must be an address with https, and is "http://…@a/b"')
  t.equal(address('é'.repeat(70)), `must be an address with https, and is "${'é'.repeat(60)}"…`)
  t.equal(address('x\u001b[2J\n'), 'must be an address with https, and is "x\\u001b[2J\\n"')
  const secret = address('geheim', { writeOnly: true })
  t.equal(secret, 'must be an address with https, and is something else, of 6 characters')
  t.equal(
    found(Type.String({ minLength: 3, writeOnly: true }), 'ab')[0]?.[1],
    'must be at least 3 characters, and has 2',
  )
  t.equal(found(Type.String({ maxLength: 1 }), 'ab')[0]?.[1], 'must be at most 1 character, and has 2')
  const list = (given: unknown[]) =>
    found(Type.Array(Type.Integer(), { minItems: 1, maxItems: 2, uniqueItems: true }), given)[0]?.[1]
  t.equal(list([]), 'must be a list of at least 1 item, and has 0')
  t.equal(list([1, 2, 3]), 'must be a list of at most 2 items, and has 3')
  t.equal(list([5, 5]), 'must be a list without repetition: items 1 and 2 are the same')
})

t.test('every pattern of the contract says in words what it accepts', async (t) => {
  const patterns: object[] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (typeof (node as { pattern?: unknown }).pattern === 'string') patterns.push(node)
    for (const each of Object.values(node)) walk(each)
  }
  walk(JSON.parse(readFileSync(new URL('../../../../schemas/openapi.json', import.meta.url), 'utf8')))
  t.ok(patterns.length > 50)
  t.same(
    patterns.filter((each) => !('x-accepted' in each)),
    [],
  )
})

t.test('at most fifty', async (t) => {
  t.equal(
    found(
      Type.Array(Type.Integer()),
      Array.from({ length: 100 }, () => 'x'),
    ).length,
    50,
  )
})

t.test('instants are written as they are', async (t) => {
  const isInstant = fieldFormats['date-time-utc']
  for (const good of ['2027-01-01T00:00:00Z', '2028-02-29T23:59:59.999999999Z', '1000-01-01T00:00:00Z'])
    t.ok(isInstant(good), good)
  for (const bad of [
    '2027-02-29T00:00:00Z',
    '2027-04-31T00:00:00Z',
    '2027-00-01T00:00:00Z',
    '2027-01-01T24:00:00Z',
    '2027-01-01T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '2027-01-01T00:00:00+00:00',
    '2027-01-01T00:00:00',
    '2027-01-01t00:00:00z',
    '2027-01-01 00:00:00Z',
    '2027-01-01',
    '2027-01-01T00:00:00.Z',
    '2027-01-01T00:00:00Z\n',
    '+002027-01-01T00:00:00Z',
  ])
    t.notOk(isInstant(bad), JSON.stringify(bad))
  t.same(found(Type.String({ format: 'date-time-utc' }), 'x'), [
    ['', 'must be an instant in UTC, such as 2027-01-01T00:00:00Z, and is "x"'],
  ])
  t.same(found(Type.String({ format: 'kubernetes-quantity' }), 'x'), [
    ['', 'must be a Kubernetes quantity, such as 500m or 2Gi, and is "x"'],
  ])
})
