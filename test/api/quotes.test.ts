/** Quotes do not stay for ever: those that are no longer valid are deleted, however many, and no other. */
import t from 'tap'
import { forgetQuotes } from '../../services/broker/hosting/index.ts'
import { testApi } from '../support/api.ts'
import { makeWorld } from '../support/operations.ts'

t.test('what is past its use goes', async (t) => {
  const api = await testApi(t)
  const { quoteId } = await makeWorld(api)
  const { database } = api.kit
  await database.query(
    `insert into quotes (id, party_id, spec, decision, valid_until, created_at)
     select 'quo_old_' || n, party_id, spec, decision, now() - n * interval '1 second', created_at
     from quotes, generate_series(1, 2500) n where id = $1`,
    [quoteId],
  )
  t.equal(await forgetQuotes(api.kit), 2500)
  t.same(await database.query('select id from quotes'), [{ id: quoteId }])
  t.equal((await api.call('consumer', 'GET', `quotes/${quoteId}`)).status, 200)
  t.equal(await forgetQuotes(api.kit), 0, 'and again is nothing')

  const clock = { ...api.kit.clock, now: () => Date.now() + 16 * 60_000 }
  t.equal(await forgetQuotes({ ...api.kit, clock }), 1, 'a quarter of an hour later')
  t.equal((await api.call('consumer', 'GET', `quotes/${quoteId}`)).status, 404)
})
