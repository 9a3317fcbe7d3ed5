/** A world of the desk on a database of its own, which goes with it. */
import type { Test } from 'tap'
import type { Database } from '../../../services/shared/db/database.ts'
import { testDatabase } from '../../support/database.ts'
import type { Outcome } from '../run.ts'
import { runDeskSeed } from './run.ts'

export interface OwnDatabase {
  readonly database: Database
  drop(): Promise<void>
}

export async function ownDatabase(): Promise<OwnDatabase> {
  const ends: (() => Promise<void>)[] = []
  const teardown = (end: () => Promise<void>) => ends.push(end)
  const database = await testDatabase({ teardown } as unknown as Pick<Test, 'teardown'>)
  const drop = async () => {
    for (const end of ends) await end()
  }
  return { database, drop }
}

export async function runDeskAlone(seed: number): Promise<Outcome> {
  const { database, drop } = await ownDatabase()
  return runDeskSeed(database, seed).finally(drop)
}

/** Beside each other, since each mostly waits for PostgreSQL. */
const lanes = 4

export async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
