/** Files from people: bounded, one reading only, and an error that says where. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocuments, readAll, readObject, readText } from '../../../services/cli/files.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { fakeIo } from './fake-io.ts'

const refused = { name: 'Error', code: 2 }

t.test('YAML that is broken or could be read in two ways is refused with its place', async (t) => {
  for (const [what, text, message] of [
    ['an open bracket', 'a: [1', /^f\.yaml is no valid YAML at line 1, column \d+: /],
    ['a tab', 'a:\n\t- 1', /is no valid YAML at line 2, /],
    ['a key twice', 'a: 1\na: 2', /is no valid YAML at line 2, column 1: Map keys must be unique$/],
    ['an alias', 'a: &x [1]\nb: *x', /uses YAML aliases/],
    ['a missing anchor', 'a: *nowhere', /alias/i],
    ['two on one line', '{a: 1} {b: 2}', /is no valid YAML/],
  ] as const)
    await t.rejects(parseDocuments(text, 'f.yaml'), { ...refused, message }, what)
  await t.rejects(parseDocuments('a: [', '-'), { message: /^standard input is no valid YAML/ })
})

t.test('a bomb does not go off', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`)
  await t.rejects(parseDocuments(lines.join('\n'), 'bomb.yaml'), { ...refused, message: /aliases/ })
  await t.rejects(parseDocuments('['.repeat(100_000), 'deep.yaml'), refused)
  const merge = 'a: &a {x: 1}\nb: {<<: *a, y: 2}'
  await t.rejects(parseDocuments(merge, 'merge.yaml'), { message: /aliases/ })
})

t.test('documents: the empty ones are left out, JSON is YAML', async (t) => {
  t.same(await parseDocuments('---\na: 1\n---\n# nothing\n---\nb: 2\n...\n', 'x'), [{ a: 1 }, { b: 2 }])
  t.same(await parseDocuments('{"a": {"b": [1, "2", null, true]}}', 'x'), [{ a: { b: [1, '2', null, true] } }])
  t.same(await parseDocuments('', 'x'), [])
})

t.test('files: the right one, of the right size, with one object', async (t) => {
  const { path, remove } = temporaryFolder('files')
  t.teardown(remove)
  const file = join(path, 'f.yaml')
  const { io } = fakeIo({ stdin: 'from: stdin' })
  writeFileSync(file, 'a: 1')
  t.same(await readObject(io, file), { a: 1 })
  t.same(await readObject(io, '-'), { from: 'stdin' })
  t.equal(await readText(io, file, 4), 'a: 1')
  await t.rejects(readText(io, file, 3), { ...refused, message: /larger than/ })
  await t.rejects(readText(io, join(path, 'none'), 9), { ...refused, message: /there is no such file/ })
  mkdirSync(join(path, 'folder'))
  await t.rejects(readText(io, join(path, 'folder'), 99_999), {
    ...refused,
    message: /folder cannot be read: it is a folder; name a file in it$/,
  })
  await t.rejects(readText(io, join(file, 'x'), 9), { ...refused, message: /there is no such file/ })
  await t.rejects(readText(fakeIo({ stdin: ' \n' }).io, '-', 9), { ...refused, message: 'standard input is empty' })
  for (const [text, message] of [
    ['a: 1\n---\nb: 2', /holds 2 documents; one is expected/],
    ['', /f\.yaml is empty$/],
    ['# nothing', /holds 0 documents/],
    ['- 1', /must hold an object/],
    ['text', /must hold an object/],
  ] as const) {
    writeFileSync(file, text)
    await t.rejects(readObject(io, file), { ...refused, message }, text)
  }
})

t.test('standard input is bounded while it comes', async (t) => {
  const pieces = (count: number) =>
    (async function* () {
      for (let i = 0; i < count; i++) yield Buffer.from('é')
    })()
  t.equal(await readAll(pieces(3), 6), 'ééé')
  await t.rejects(readAll(pieces(4), 6), { ...refused, message: /standard input is larger/ })
})
