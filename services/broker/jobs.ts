/** THE list of scheduled work. The clock only says that it is time; each job looks for itself what there is to do. */
import cron from 'node-cron'
import { forgetKeys } from '../shared/db/idempotency.ts'
import type { Kit } from '../shared/kit.ts'
import type { Authorities } from './agents/index.ts'
import { endExpired, forgetQuotes } from './hosting/index.ts'
import { forgetShortLived } from './identity/index.ts'
import { forgetPlans } from './scheduling/index.ts'

const dayMs = 24 * 3_600_000

interface Job {
  readonly name: string
  /** Cron expression with seconds, in UTC. */
  readonly when: string
  readonly run: (kit: Kit, authorities: Authorities) => Promise<number>
}

const jobs: readonly Job[] = [
  { name: 'end-expired-hostings', when: '*/15 * * * * *', run: endExpired },
  { name: 'forget-quotes', when: '30 * * * * *', run: forgetQuotes },
  { name: 'forget-short-lived-tokens', when: '15 * * * * *', run: forgetShortLived },
  { name: 'forget-plans', when: '45 */10 * * * *', run: forgetPlans },
  { name: 'change-authority', when: '0 5 * * * *', run: (_kit, { ensure }) => ensure() },
  {
    name: 'forget-idempotency-keys',
    when: '0 */10 * * * *',
    run: (kit) => forgetKeys(kit.database, new Date(kit.clock.now() - dayMs)),
  },
]

/** Starts every job; each replica runs them, so each must bear being run twice. Returns a function that stops them. */
export function startJobs(kit: Kit, authorities: Authorities): () => Promise<void> {
  const tasks = jobs.map(({ name, when, run }) =>
    cron.schedule(
      when,
      async () => {
        try {
          const count = await run(kit, authorities)
          if (count > 0) kit.log.info({ job: name, count }, 'job done')
        } catch (error) {
          kit.log.warn({ err: error, job: name }, 'job failed; it runs again at its next time')
        }
      },
      { name, timezone: 'UTC', noOverlap: true, logger: loggerOf(kit) },
    ),
  )
  return async () => {
    await Promise.all(tasks.map((task) => task.destroy()))
  }
}

/** What node-cron has to say, such as that a job was late because the machine was busy: a line of our log. */
function loggerOf({ log }: Kit) {
  return {
    info: (message: string) => log.info(message),
    warn: (message: string) => log.warn(message),
    error: (error: string | Error) => log.error({ err: error }, 'a job failed'),
    debug: (message: string | Error) => log.debug(message),
  }
}
