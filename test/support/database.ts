/** Databases for tests: one PostgreSQL for the whole run, a migrated template, a clone per test. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { Test } from 'tap'
import { DataDirectoryInUse, lockDataDirectory } from '../../services/shared/db/data-lock.ts'
import { type Database, openDatabase } from '../../services/shared/db/database.ts'
import { type Embedded, startEmbedded } from '../../services/shared/db/embedded.ts'
import { type Migration, migrate, readMigrations } from '../../services/shared/db/migrate.ts'

export const brokerMigrations = readMigrations(new URL('../../services/broker/migrations/', import.meta.url))

const checkout = createHash('sha256')
  .update(import.meta.url)
  .digest('hex')
  .slice(0, 12)
const folder = join(tmpdir(), `gemeentecloud-test-${process.getuid?.() ?? 0}-${checkout}`)
const log = pino({ level: 'silent' })
/** Found once for a file: looking whether it runs costs two programs and a connection. */
let server: Promise<Embedded> | undefined

export type TestDatabase = Database & { readonly url: string; readonly name: string }

export interface TestDatabaseOptions {
  readonly migrations?: readonly Migration[]
  /** It begins with what stands there; nobody is connected to it meanwhile. */
  readonly copyOf?: TestDatabase | undefined
}

/**
 * A fresh database with the broker's tables, dropped when the test ends. The server is started by the first test that needs
 * it and adopted by the others; `stopTestServer` ends it. It does not flush to disk: what must survive is tested elsewhere.
 */
export async function testDatabase(
  t: Pick<Test, 'teardown'>,
  { migrations = brokerMigrations, copyOf }: TestDatabaseOptions = {},
): Promise<TestDatabase> {
  server ??= testServer()
  const { url: serverUrl, socketUrl = serverUrl } = await server
  const admin = openDatabase({ url: socketUrl, connections: 1 })
  const name = `t_${randomUUID().replaceAll('-', '')}`
  // Copying the template's files costs half of writing every page of them to the log, and the copy is the cheaper to drop.
  const original = copyOf?.name ?? (await template(admin, socketUrl, migrations))
  await admin.query(`create database ${name} template ${original} strategy file_copy`)
  const database = openDatabase({ url: withDatabase(socketUrl, name) })
  t.teardown(async () => {
    await database.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return Object.assign(database, { name, url: withDatabase(serverUrl, name) })
}

const withDatabase = (url: string, name: string) => url.replace(/\/[^/]*$/, `/${name}`)

async function template(admin: Database, url: string, migrations: readonly Migration[]): Promise<string> {
  const name = `template_${createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 16)}`
  const session = await admin.session(() => undefined)
  try {
    await session.query(`select pg_advisory_lock(hashtext($1))`, [name])
    if ((await session.query('select 1 from pg_database where datname = $1 and datistemplate', [name])).length > 0)
      return name
    await session.query(`drop database if exists ${name} with (force)`)
    await session.query(`create database ${name}`)
    const database = openDatabase({ url: withDatabase(url, name), connections: 1 })
    await migrate(database, migrations)
    await database.close()
    await session.query(`alter database ${name} is_template true`)
    return name
  } finally {
    await session.close()
  }
}

async function testServer(): Promise<Embedded> {
  mkdirSync(folder, { recursive: true })
  const lock = await waitForLock()
  try {
    return await startEmbedded({
      dataDirectory: folder,
      log,
      // More connections than the product asks for: several files are tested at once.
      settings: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'],
    })
  } finally {
    await lock.release()
  }
}

async function waitForLock(): Promise<{ release(): Promise<void> }> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await lockDataDirectory(folder)
    } catch (error) {
      if (!(error instanceof DataDirectoryInUse) || Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** Stops the server that tests share, when it runs. */
export async function stopTestServer(): Promise<void> {
  await (await testServer()).stop()
}
