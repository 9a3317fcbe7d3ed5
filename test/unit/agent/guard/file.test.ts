/** What a guard keeps on disk, and when that is good enough to write nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { guardFile, isKept, type Stored } from '../../../../services/agent/guard/file.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const epoch = { generation: 1, counter: 2 }
const stored = (deadlineMs: number, changes: Partial<Stored> = {}): Stored => ({
  boot: 'b1',
  life: 3,
  grants: [{ hosting: 'h1', epoch, activity: 'exclusive', deadlineMs }],
  spaces: [{ namespace: 'zaak', hosting: 'h1', activity: 'exclusive' }],
  stopMs: 20_000,
  ...changes,
})

t.test('what was written is read, and what is torn is as good as nothing', async (t) => {
  const folder = temporaryFolder('guard-file')
  t.teardown(() => folder.remove())
  const path = join(folder.path, 'state/guard.json')
  const file = guardFile(path)
  t.equal(await file.read(), undefined)
  await file.write(stored(1000))
  t.same(await file.read(), stored(1000))
  await file.write(stored(2000))
  t.same(JSON.parse(readFileSync(path, 'utf8')), stored(2000))
  for (const text of ['', '{"boot":"b1","li', '[]', '{"boot":"b1"}', 'null']) {
    writeFileSync(path, text)
    t.equal(await file.read(), undefined, text)
  }
})

t.test('a write that fails leaves what was there', async (t) => {
  const folder = temporaryFolder('guard-file')
  t.teardown(() => folder.remove())
  const file = guardFile(join(folder.path, 'guard.json'))
  await file.write(stored(1000))
  mkdirSync(join(folder.path, 'guard.json.draft'))
  await t.rejects(file.write(stored(2000)))
  t.same(await file.read(), stored(1000))
})

t.test('a deadline that only the way of an answer has moved is not written, anything else is', async (t) => {
  t.notOk(isKept(undefined, stored(30_000)))
  t.ok(isKept(stored(30_000), stored(30_400)))
  t.ok(isKept(stored(30_000), stored(29_600)))
  t.notOk(isKept(stored(30_000), stored(40_000)), 'a renewal')
  t.notOk(isKept(stored(30_000), stored(30_000, { grants: [] })), 'a grant that is over')
  t.notOk(isKept(stored(30_000), stored(30_000, { spaces: [] })))
  t.notOk(isKept(stored(30_000), stored(30_000, { stopMs: 6_000 })))
  t.notOk(isKept(stored(30_000), stored(30_000, { life: 4 })))
  const later = stored(30_000).grants.map((grant) => ({ ...grant, epoch: { generation: 1, counter: 3 } }))
  t.notOk(isKept(stored(30_000), stored(30_000, { grants: later })), 'a later epoch')
})
