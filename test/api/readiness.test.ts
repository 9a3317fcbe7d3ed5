/** What the management port says of a store that is away: that it is, and nothing that PostgreSQL said. */
import pino from 'pino'
import t from 'tap'
import { createManagement } from '../../services/broker/management.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from '../support/database.ts'

t.test('ready, stopping, and without its store', async (t) => {
  const { url } = await testDatabase(t)
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
  const kit = { clock: systemClock, random: systemRandom, log }
  const readiness = async (store: string, stopping = false) => {
    const database = openDatabase({ url: store, connections: 1 })
    const app = await createManagement(kit, createRegistry(), database, () => stopping)
    const { statusCode, payload } = await app.inject('/readyz')
    await app.close()
    await database.close()
    return [statusCode, JSON.parse(payload)]
  }
  t.same(await readiness(url), [200, { status: 'ok', checks: { store: 'ok' } }])
  t.same(await readiness(url, true), [503, { status: 'not-ready', checks: { store: 'stopping' } }])
  t.same(lines, [])
  const away = url.replace(/\/[^/]*$/, '/a_database_that_is_not')
  t.same(await readiness(away), [503, { status: 'not-ready', checks: { store: 'cannot be reached' } }])
  t.match(lines.join(), /a_database_that_is_not/, 'the log has what PostgreSQL said')
})
