/** What a leader reads when its term starts is all there is, also when it comes in many pages. */
import pino from 'pino'
import t from 'tap'
import { loadPicture, refreshPicture } from '../../services/broker/scheduling/world.ts'
import { overcommit, usageAt } from '../../services/placement/index.ts'
import { testDatabase } from '../support/database.ts'
import { seedHeldRows } from '../support/held-rows.ts'

const log = pino({ level: 'silent' })

t.test('everything is read, page after page, and counts as the claims say', async (t) => {
  const database = await testDatabase(t)
  await seedHeldRows(database, { hostings: 9_001, datacenters: 203, nodesEach: 100 })
  const picture = await loadPicture({ database, log }, Date.now())
  t.equal(picture.world.hostings.size, 9_001)
  t.equal(picture.datacenters.size, 203)
  const sums = await database.query<{ datacenter_id: string; cpu: number }>(
    `select datacenter_id, sum((amounts ->> 'cpu')::bigint)::bigint as cpu from claims where kind = 'primary' group by 1`,
  )
  const wrong = sums.filter(
    ({ datacenter_id, cpu }) => usageAt(picture.world, datacenter_id, Date.now())?.used.cpu !== cpu,
  )
  t.same(wrong, [], 'every datacenter carries what is claimed of it')
  t.same(overcommit(picture.world, Date.now()), [])
  t.same(await refreshPicture({ database, log }, picture), [], 'nothing has to be read again')
})

t.test('what changes while it is read is read again', async (t) => {
  const database = await testDatabase(t)
  await seedHeldRows(database, { hostings: 100, datacenters: 10, nodesEach: 10 })
  let claimed = false
  const meddled = {
    ...database,
    query: async <R extends Record<string, unknown>>(text: string, values?: readonly unknown[]) => {
      const rows = await database.query<R>(text, values)
      if (!claimed && text.includes('from claims')) {
        claimed = true
        await database.query(`update claims set released_at = now() where hosting_id = 'hst_' || lpad('3', 26, '0')`)
        await database.query(
          `update datacenters set generation = generation + 1
           where id in (select datacenter_id from claims where released_at is not null)`,
        )
      }
      return rows
    },
  }
  const picture = await loadPicture({ database: meddled, log }, Date.now())
  t.equal(picture.world.hostings.size, 100, 'as it was when its page was read')
  t.equal((await refreshPicture({ database, log }, picture)).length, 2)
  t.equal(picture.world.hostings.size, 99)
})
