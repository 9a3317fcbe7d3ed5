/** What nearly every use case needs of the world, handed in from main.ts so that tests and simulation can own it. */
import type { Clock } from './clock.ts'
import type { Database } from './db/database.ts'
import type { Logger } from './log.ts'
import type { Random } from './random.ts'

export interface Kit {
  readonly database: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}
