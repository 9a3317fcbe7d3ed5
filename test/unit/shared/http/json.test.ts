/** JSON is read in one way or not at all: no key twice, bounded depth, no prototype, and otherwise as JSON.parse reads it. */
import fc from 'fast-check'
import t from 'tap'
import { parseJson } from '../../../../services/shared/http/json.ts'
import type { Problem } from '../../../../services/shared/problem.ts'

function refusalOf(text: string): { code: string; pointer: string | undefined } | undefined {
  try {
    parseJson(text)
    return undefined
  } catch (error) {
    const { code, errors } = error as Problem
    return { code, pointer: errors?.[0]?.pointer }
  }
}
const at = (pointer: string | undefined) => ({ code: 'malformed-request', pointer })

t.test('a key twice, wherever and however it is written', async (t) => {
  for (const [text, pointer] of [
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1 , "a" : 2}', '/a'],
    ['{"a":{"b":[{"c":1,"c":2}]}}', '/a/b/0/c'],
    ['[0,1,{"x":1,"y":2,"x":3}]', '/2/x'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"":1,"":2}', '/'],
    ['{"a/b~c":1,"a/b~c":2}', '/a~1b~0c'],
    ['{"a\\"b":1,"a\\"b":2}', '/a"b'],
    ['{"a":"\\\\","a":2}', '/a'],
    ['{"a":[],"b":{},"a":0}', '/a'],
    ['{"__proto__":1}', '/__proto__'],
    ['{"\\u005f_proto__":1}', '/__proto__'],
  ] as const)
    t.same(refusalOf(text), at(pointer), text)
})

t.test('what only looks like it', async (t) => {
  for (const text of [
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"b","b":"a"}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"a","b":["a","a"]}',
    '{"a":"\\"a\\":","b":1}',
    '{"constructor":1,"prototype":2}',
  ])
    t.equal(refusalOf(text), undefined, text)
})

t.test('nested at most 32 deep', async (t) => {
  t.same(parseJson(`${'['.repeat(32)}${']'.repeat(32)}`), JSON.parse(`${'['.repeat(32)}${']'.repeat(32)}`))
  t.same(refusalOf(`${'['.repeat(33)}${']'.repeat(33)}`), at('/0'.repeat(32)))
  t.same(refusalOf(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`), at('/a'.repeat(32)))
  t.equal(refusalOf(`[${'[],'.repeat(1_000)}[]]`), undefined, 'wide is not deep')
})

t.test('what is no JSON', async (t) => {
  for (const text of [
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    'undefined',
    'NaN',
    '[1 2]',
    '{}{}',
    '"\n"',
    '01',
    '/**/1',
  ])
    t.same(refusalOf(text), at(undefined), JSON.stringify(text))
})

t.test('everything else is read as JSON.parse reads it, whatever the blanks', async () => {
  const noPrototype = (text: string) => !text.includes('__proto__')
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }).filter(noPrototype), fc.nat(4), (text, blanks) => {
      const spaced = JSON.stringify(JSON.parse(text), null, blanks)
      return JSON.stringify(parseJson(spaced)) === JSON.stringify(JSON.parse(text))
    }),
  )
})
