/** No change without its event: each is told in its own transaction, and when the log refuses, nothing is changed. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { testApi } from '../support/api.ts'
import { copiedWorlds, operations } from '../support/operations.ts'
import { changesWithoutEvent, storeDigest } from '../support/store-digest.ts'

t.setTimeout(600_000)

const copied = copiedWorlds(t)

for (const [name, operation] of Object.entries(operations).filter(([, { method }]) => method !== 'GET')) {
  t.test(name, async (t) => {
    const { api, world } = await copied(t)
    const { database } = api.kit
    // The rows that makeWorld wrote past the API become one change that is told.
    await database.transaction(async (sql) => {
      await sql.query('update datacenters set name = name')
      await sql.query('update inventories set facts = facts')
      await sql.query('update agents set updated_at = updated_at')
      await sql.query('update hostings set name = name')
      await sql.query('update placements set wanted = wanted')
      await sql.query('update claims set kind = kind')
      await sql.query('update claimed set amount = amount')
      await sql.query('update drills set version = version')
      await sql.query(`insert into events (id, type, subject_kind, subject_id, actor, data, at)
        values ('evt_fixture', 'test.prepared', 'test', 'fixture', 'test', '{}', now())`)
    })
    t.same(await changesWithoutEvent(database), [], 'so far everything is told')

    const before = await storeDigest(database)
    await database.query('alter table events add constraint refused check (false) not valid')
    const headers = { 'idempotency-key': randomUUID() }
    const body = operation.body?.(world)
    const send = () =>
      api.call(operation.as, operation.method, operation.path(world), { headers, ...(body && { body }) })
    const failed = await send()
    t.equal(failed.status, 500)
    t.match(failed.body, { type: /internal$/, detail: /req_/ })
    t.notMatch(JSON.stringify(failed.body), /constraint|events/, 'the store is nobody else his business')
    t.same(await storeDigest(database), before)

    await database.query('alter table events drop constraint refused')
    const answer = await send()
    t.equal(answer.status, operation.status, 'the same request, when the log is back')
    t.notOk(answer.headers['idempotent-replayed'], 'the key stayed free')
    const told = await database.query<{ type: string }>(
      'select type from events where request_id = $1 order by sequence',
      [answer.headers['x-request-id']],
    )
    const types = told.map(({ type }) => type)
    t.same(types, operation.events, 'under its request id')
    t.same(await changesWithoutEvent(database), [])
  })
}

t.test('a change that is not told is seen', async (t) => {
  const { database } = (await testApi(t)).kit
  t.same(await changesWithoutEvent(database), [])
  await database.query(`update parties set name = 'x' where oin = '00000099000000000101'`)
  t.match(await changesWithoutEvent(database), [/^parties: transaction \d+$/])
})
