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

/**
 * A fresh database with the broker's tables, dropped when the test ends. The server is started by the first test that needs
 * it and adopted by the others; `stopTestServer` ends it. It does not flush to disk: what must survive is tested elsewhere.
 */
export async function testDatabase(
  t: Pick<Test, 'teardown'>,
  { migrations = brokerMigrations }: { migrations?: readonly Migration[] } = {},
): Promise<Database & { url: string }> {
  const server = await testServer()
  const admin = openDatabase({ url: server.url, connections: 1 })
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await admin.query(`create database ${name} template ${await template(admin, server.url, migrations)}`)
  const url = withDatabase(server.url, name)
  const database = openDatabase({ url })
  t.teardown(async () => {
    await database.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return Object.assign(database, { url })
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
      settings: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'],
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
