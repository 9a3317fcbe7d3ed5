/** A transaction sends on without waiting, and stands or falls with all that was sent in it. */
import t from 'tap'
import { isUniqueViolation } from '../../../../services/shared/db/database.ts'
import { testDatabase } from '../../../support/database.ts'

t.test('what was sent', async (t) => {
  const database = await testDatabase(t, { migrations: [] })
  await database.query('create table things (id integer primary key)')
  const things = async () => (await database.query('select id from things order by id')).map(({ id }) => id)
  const insert = 'insert into things values ($1)'

  await t.test('is committed with the rest, in its order', async (t) => {
    const read = await database.transaction(async (sql) => {
      sql.sent(sql.query(insert, [1]))
      sql.sent(sql.query(insert, [2]))
      const rows = await sql.query('select count(*) from things')
      sql.sent(sql.query(insert, [3]))
      return rows
    })
    t.same(read, [{ count: 2 }])
    t.same(await things(), [1, 2, 3])
  })

  await t.test('undoes the transaction when it fails, which then fails with the first that did', async (t) => {
    const failing = database.transaction(async (sql) => {
      sql.sent(sql.query(insert, [4]))
      sql.sent(sql.query(insert, [1]))
      sql.sent(sql.query(insert, [5]))
    })
    const error = await failing.then(
      () => undefined,
      (error) => error,
    )
    t.ok(isUniqueViolation(error, 'things_pkey'), 'not with the one after it, which only met an ended transaction')
    t.same(await things(), [1, 2, 3])
  })

  await t.test('is undone by what the work throws, and the connection is as good as new', async (t) => {
    for (let i = 0; i < 40; i++) {
      const failing = database.transaction(async (sql) => {
        sql.sent(sql.query(insert, [6]))
        sql.sent(sql.query(insert, [1]))
        throw new Error('on second thought')
      })
      await t.rejects(failing, { message: 'on second thought' })
    }
    t.same(await things(), [1, 2, 3])
  })

  await t.test('a failure that the work passes over is no commit', async (t) => {
    const failing = database.transaction(async (sql) => {
      sql.sent(sql.query(insert, [7]))
      await sql.query(insert, [1]).catch(() => undefined)
    })
    await t.rejects(failing, /ROLLBACK/)
    t.same(await things(), [1, 2, 3])
  })

  await t.test('statements that were never seen to be prepared are prepared again after a failure', async (t) => {
    const fresh = 'insert into things select $1::integer + 0'
    const failing = database.transaction(async (sql) => {
      sql.sent(sql.query(insert, [1]))
      sql.sent(sql.query(fresh, [8]))
      sql.sent(sql.query(fresh, [9]))
    })
    await t.rejects(failing, { code: '23505' })
    for (let i = 0; i < 20; i++) await database.transaction(async (sql) => sql.sent(sql.query(fresh, [100 + i])))
    t.equal((await things()).length, 23)
  })
})
