/** The store, brought to this release's tables. */
import { type Database, openDatabase } from '../shared/db/database.ts'
import { migrate, readMigrations } from '../shared/db/migrate.ts'

/** Opens PostgreSQL and applies the migrations that are missing. Throws when the database is of a newer release. */
export async function openStore(url: string): Promise<Database> {
  const database = openDatabase({ url })
  try {
    await migrate(database, readMigrations(new URL('./migrations/', import.meta.url)))
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
