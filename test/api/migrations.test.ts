/** Migrations: each may run twice, also over data; none may change after it ran; two processes at once are one. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../services/shared/db/database.ts'
import { type Migration, migrate, readMigrations } from '../../services/shared/db/migrate.ts'
import { testApi } from '../support/api.ts'
import { brokerMigrations, testDatabase } from '../support/database.ts'
import { temporaryFolder } from '../support/folder.ts'
import { makeWorld } from '../support/operations.ts'
import { storeDigest, tablesOf } from '../support/store-digest.ts'

const emptyDatabase = (t: Test) => testDatabase(t, { migrations: [] })

/** Everything that a migration could make or change: columns, constraints, indexes. */
async function shapeOf(database: Database): Promise<unknown> {
  return database.query(
    `select 'column' as kind, table_name || '.' || column_name as name,
       concat_ws(' ', data_type, is_nullable, column_default, identity_generation) as text
     from information_schema.columns where table_schema = 'public'
     union all select 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
     from pg_constraint where connamespace = 'public'::regnamespace
     union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
     order by 1, 2`,
  )
}

t.test('the migrations of the broker are there and are numbered without a gap', async (t) => {
  t.ok(brokerMigrations.length > 0)
  t.same(
    brokerMigrations.map(({ name }) => Number(name.slice(0, 4))),
    brokerMigrations.map((_, index) => index + 1),
  )
})

t.test('each migration twice in a row is the same as once', async (t) => {
  const database = await emptyDatabase(t)
  for (const { name, sql } of brokerMigrations) {
    await database.transaction((one) => one.query(sql))
    const once = [await shapeOf(database), await storeDigest(database)]
    await database.transaction((one) => one.query(sql))
    t.same([await shapeOf(database), await storeDigest(database)], once, name)
  }
  t.ok((await tablesOf(database)).includes('hostings'))
})

t.test('all of them again over a store that holds data change nothing', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  await makeWorld(api)
  const before = [await shapeOf(database), await storeDigest(database)]
  for (const { sql } of brokerMigrations) await database.transaction((one) => one.query(sql))
  t.same(await migrate(database, brokerMigrations), [], 'and nothing is left to apply')
  t.same([await shapeOf(database), await storeDigest(database)], before)
})

const first: Migration = { name: '0001-first.sql', sql: 'create table if not exists one (n integer primary key)' }
const second: Migration = { name: '0002-second.sql', sql: 'alter table one add column if not exists m integer' }

t.test('only what is missing runs, in order', async (t) => {
  const database = await emptyDatabase(t)
  t.same(await migrate(database, [first]), ['0001-first.sql'])
  await database.query('insert into one (n) values (1)')
  t.same(await migrate(database, [first, second]), ['0002-second.sql'])
  t.same(await database.query('select * from one'), [{ n: 1, m: null }])
  t.same(await migrate(database, [first, second]), [])
})

t.test('a migration that was edited after it ran is refused, and so is a store from a newer release', async (t) => {
  const database = await emptyDatabase(t)
  await migrate(database, [first, second])
  const before = await storeDigest(database)
  const edited = { ...first, sql: `${first.sql} -- a blank more` }
  await t.rejects(migrate(database, [edited, second]), { message: /0001-first\.sql was changed after it ran/ })
  await t.rejects(migrate(database, [first]), { message: /0002-second\.sql, which this release does not know/ })
  t.same(await storeDigest(database), before)
})

t.test('one that fails leaves nothing of itself and of those before it', async (t) => {
  const database = await emptyDatabase(t)
  const broken = { name: '0002-broken.sql', sql: 'create table two (n integer); select 1 / 0' }
  await t.rejects(migrate(database, [first, broken]), { code: '22012' })
  t.notOk((await tablesOf(database)).some((table) => table === 'one' || table === 'two'))
  t.same(await migrate(database, [first, second]), ['0001-first.sql', '0002-second.sql'], 'mended, it goes on')
})

t.test('two processes that migrate at once: each statement runs once', async (t) => {
  const database = await emptyDatabase(t)
  // Not to be run twice: without the lock one of them would fail or double the row.
  const slow = {
    name: '0001-slow.sql',
    sql: 'select pg_sleep(0.2); create table once (n integer); insert into once values (1)',
  }
  const others = [1, 2, 3].map(() => openDatabase({ url: database.url, connections: 1 }))
  t.teardown(() => Promise.all(others.map((other) => other.close())))
  const applied = await Promise.all(others.map((other) => migrate(other, [slow])))
  t.same(applied.flat(), ['0001-slow.sql'], 'by one of the three')
  t.same(await database.query('select * from once'), [{ n: 1 }])
})

t.test('files that are misnumbered are no migrations', async (t) => {
  const { path, remove } = temporaryFolder('migrations')
  t.teardown(remove)
  const folder = pathToFileURL(`${path}/`)
  for (const name of ['0001-a.sql', '0003-c.sql', 'notes.md']) writeFileSync(new URL(name, folder), 'select 1')
  t.throws(() => readMigrations(folder), { message: /0003-c\.sql should have number 2/ })
  writeFileSync(new URL('0002-b.sql', folder), 'select 2')
  t.same(
    readMigrations(folder).map(({ name }) => name),
    ['0001-a.sql', '0002-b.sql', '0003-c.sql'],
  )
  writeFileSync(new URL('0002-d.sql', folder), 'select 2')
  t.throws(() => readMigrations(folder), { message: /should have number/ })
})
