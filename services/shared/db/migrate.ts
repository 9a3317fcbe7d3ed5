/** Forward-only migrations: numbered SQL files, each in its own transaction, under one lock, checked against what ran before. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from './database.ts'

export interface Migration {
  readonly name: string
  readonly sql: string
}

/** Reads `NNNN-subject.sql` files in order; throws when a number is missing or doubled. */
export function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  names.forEach((name, index) => {
    const number = Number(/^(\d{4})-/.exec(name)?.[1])
    if (number !== index + 1) throw new Error(`migration ${name} should have number ${index + 1}`)
  })
  return names.map((name) => ({ name, sql: readFileSync(new URL(name, folder), 'utf8') }))
}

/**
 * Applies what is missing and returns the names applied. Throws when the database is newer than this release, or a
 * migration was edited after it ran.
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<string[]> {
  return database.transaction(async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(hashtext('gemeentecloud migrations'))`)
    await sql.query(
      `create table if not exists migrations
         (name text primary key, digest text not null, applied_at timestamptz not null default now())`,
    )
    const done = new Map(
      (await sql.query<{ name: string; digest: string }>('select name, digest from migrations')).map((m) => [
        m.name,
        m.digest,
      ]),
    )
    const known = new Set(migrations.map((m) => m.name))
    for (const name of done.keys()) {
      if (!known.has(name))
        throw new Error(`the database has migration ${name}, which this release does not know: start a newer release`)
    }
    const applied: string[] = []
    for (const migration of migrations) {
      const digest = createHash('sha256').update(migration.sql).digest('hex')
      const before = done.get(migration.name)
      if (before === digest) continue
      if (before !== undefined) throw new Error(`migration ${migration.name} was changed after it ran`)
      await sql.query(migration.sql)
      await sql.query('insert into migrations (name, digest) values ($1, $2)', [migration.name, digest])
      applied.push(migration.name)
    }
    return applied
  })
}
