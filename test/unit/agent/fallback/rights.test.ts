/** What an agent may is asked again soon where nobody answered, and now and then where its owner has not granted it. */
import pino from 'pino'
import t, { type Test } from 'tap'
import { watchRights } from '../../../../services/agent/fallback/rights.ts'
import { systemClock } from '../../../../services/shared/clock.ts'
import { systemRandom } from '../../../../services/shared/random.ts'
import { until } from '../../../support/until.ts'

type Answer = 'silent' | 'denied' | 'allowed'

/** Each round of questions has the next answer, the last one for ever; time passes at once, and is written down. */
function watch(t: Test, answers: readonly Answer[]) {
  const over = new AbortController()
  t.teardown(() => over.abort('the test is over'))
  const slept: number[] = []
  const client = {
    async create() {
      const answer = answers[Math.min(slept.length, answers.length - 1)]
      if (answer === 'silent') throw new Error('connect ECONNREFUSED')
      return { status: { allowed: answer === 'allowed' } } as never
    },
  }
  const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) }
  const kit = { clock, random: systemRandom, log: pino({ level: 'silent' }), signal: over.signal }
  return { slept, has: watchRights(client, kit) }
}

t.test('an API server that comes up after its agent is asked within seconds', async (t) => {
  const { slept, has } = watch(t, [...Array(12).fill('silent'), 'allowed'])
  t.equal(has(), undefined, 'not known')
  await until(() => has() === true, 'it to be known')
  t.equal(slept.length, 12)
  t.ok(Math.max(...slept) <= 5_000, `${slept.map(Math.round)} ms`)
  t.ok((slept[0] ?? 0) < (slept.at(-1) ?? 0), 'less and less often')
})

t.test('what its owner has not granted is asked for each minute', async (t) => {
  const { slept, has } = watch(t, ['silent', 'silent', 'denied', 'denied', 'allowed'])
  await until(() => has() === true, 'it to be granted')
  t.same(slept.slice(2), [60_000, 60_000])
})
