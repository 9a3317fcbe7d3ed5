/** An old state of the store, kept beside it, that can be put back: what was acknowledged since is gone then. */
import type { Database } from '../../../services/shared/db/database.ts'

export interface Backup {
  take(): Promise<void>
  /** To how it was when the backup was taken; false when none was. The store says then that it is another one. */
  putBack(): Promise<boolean>
}

export async function createBackup(database: Database): Promise<Backup> {
  const tables = (
    await database.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by tablename`,
    )
  ).map(({ name }) => name)
  await database.query('create schema if not exists backup')
  let isTaken = false
  let count = 0
  return {
    async take() {
      for (const name of tables) {
        await database.query(`drop table if exists backup.${name}`)
        await database.query(`create table backup.${name} as table public.${name}`)
      }
      isTaken = true
    },
    async putBack() {
      if (!isTaken) return false
      await database.transaction(async (sql) => {
        await sql.query(`set local session_replication_role = replica`)
        await sql.query(`truncate ${tables.map((name) => `public.${name}`).join(', ')}`)
        for (const name of tables)
          await sql.query(`insert into public.${name} overriding system value table backup.${name}`)
        await sql.query(`update fallback_state set store = $1`, [`another/${++count}`])
      })
      return true
    },
  }
}
