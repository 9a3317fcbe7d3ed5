/** THE list of scheduled work. The clock only says that it is time; each job looks for itself what there is to do. */
import cron from 'node-cron'
import { forgetKeys } from '../shared/db/idempotency.ts'
import type { Kit } from '../shared/kit.ts'
import { endExpired, forgetQuotes } from './hosting/index.ts'

const dayMs = 24 * 3_600_000

interface Job {
  readonly name: string
  /** Cron expression with seconds, in UTC. */
  readonly when: string
  readonly run: (kit: Kit) => Promise<number>
}

const jobs: readonly Job[] = [
  { name: 'end-expired-hostings', when: '*/15 * * * * *', run: endExpired },
  { name: 'forget-quotes', when: '30 * * * * *', run: forgetQuotes },
  {
    name: 'forget-idempotency-keys',
    when: '0 */10 * * * *',
    run: (kit) => forgetKeys(kit.database, new Date(kit.clock.now() - dayMs)),
  },
]

/** Starts every job; each replica runs them, so each must bear being run twice. Returns a function that stops them. */
export function startJobs(kit: Kit): () => Promise<void> {
  const tasks = jobs.map(({ name, when, run }) =>
    cron.schedule(
      when,
      async () => {
        try {
          const count = await run(kit)
          if (count > 0) kit.log.info({ job: name, count }, 'job done')
        } catch (error) {
          kit.log.warn({ err: error, job: name }, 'job failed; it runs again at its next time')
        }
      },
      { name, timezone: 'UTC', noOverlap: true },
    ),
  )
  return async () => {
    await Promise.all(tasks.map((task) => task.destroy()))
  }
}
