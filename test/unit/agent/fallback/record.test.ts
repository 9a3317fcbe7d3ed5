/** The record in a Secret and in a file: read back as it was written, by one writer at a time, and whole after a crash. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  merged,
  nothingKept,
  type RecordStore,
  recordInFile,
  recordInSecret,
} from '../../../../services/agent/fallback/record.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { epoch } from '../../../support/scripted-desk.ts'
import { createTown } from '../../../support/town.ts'

const record = (hosting: string, counter: number) => {
  const none = { generation: 0, counter: 0 }
  const accepted = epoch(counter)
  return {
    hosting,
    activity: 'exclusive',
    seen: accepted,
    accepted,
    since: accepted,
    ended: none,
    refused: none,
    promised: false,
  } as const
}

async function behaves(t: Test, make: () => RecordStore) {
  const first = make()
  const found = await first.read()
  t.equal(found.kept, undefined)
  const one = merged(nothingKept, { incarnation: 1, records: [record('h_1', 1)], peers: { dc_b: 'b:8084' } })
  const version = await first.write(one, found.version)
  await t.rejects(make().write(nothingKept, found.version), 'a second beginning')
  const second = make()
  const read = await second.read()
  t.same(read, { kept: one, version })
  const two = merged(one, { incarnation: 2, records: [record('h_1', 2), record('h_2', 1)] })
  await second.write(two, read.version)
  await t.rejects(first.write(one, version), 'who was overtaken')
  t.same((await make().read()).kept, two)
}

t.test('in a Secret', async (t) => {
  const { client } = await createTown(t)
  await behaves(t, () => recordInSecret(client, 'default', 'agent-fallback'))
})

t.test('in a file', async (t) => {
  const folder = temporaryFolder('record')
  t.teardown(() => folder.remove())
  const path = join(folder.path, 'below', 'fallback.json')
  await behaves(t, () => recordInFile(path))
  const before = await recordInFile(path).read()
  writeFileSync(`${path}.draft`, '{"version": 9, "ke')
  t.same(await recordInFile(path).read(), before, 'a draft that was torn is not the record')
  await recordInFile(path).write(nothingKept, before.version)
  t.notOk(existsSync(`${path}.draft`))
})

t.test('ten thousand hostings fit in a Secret', async (t) => {
  const { client } = await createTown(t)
  const records = Array.from({ length: 10_000 }, (_, index) =>
    record(`h_${(index * 7_919).toString(36).padStart(26, '0')}`, index),
  )
  const store = recordInSecret(client, 'default', 'agent-fallback')
  await store.write(merged(nothingKept, { incarnation: 1, records }), '')
  t.equal((await store.read()).kept?.records.length, 10_000)
  const secret = await client.read({ apiVersion: 'v1', kind: 'Secret', name: 'agent-fallback', namespace: 'default' })
  const [text = ''] = Object.values((secret?.['data'] ?? {}) as Record<string, string>)
  t.ok(Buffer.from(text, 'base64').length < 2 ** 20, `${Buffer.from(text, 'base64').length} bytes`)
})
