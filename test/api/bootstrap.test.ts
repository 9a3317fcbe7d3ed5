/** The first token is a change like any other: told once, in the transaction that made it. */
import t from 'tap'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { testApi } from '../support/api.ts'

t.test('every token has its event, that of the first desk too, and a start again adds none', async (t) => {
  const { kit, tokenOf } = await testApi(t)
  const { database } = kit
  const told = () =>
    database.query(
      `select t.subject, t.role, count(e.id)::int as told from tokens t left join events e
         on e.type = 'token.issued' and e.subject_id = t.id and e.party_id = t.party_id
         and (e.transaction::text::bigint % 4294967296)::text = t.xmin::text
       group by t.id order by t.id`,
    )
  const before = await told()
  t.same(before[0], { subject: 'bootstrap', role: 'loket', told: 1 })
  t.same(
    before.map((token) => token['told']),
    [1, 1, 1, 1],
  )
  const desk = { name: 'Landelijk loket', oin: '00000099000000000001' }
  await Promise.all([1, 2].map(() => bootstrapDesk(kit, desk, tokenOf('loket'))))
  t.same(await told(), before)
  await Promise.all([1, 2].map(() => bootstrapDesk(kit, desk, 'another-token-of-the-same-desk-00')))
  t.same((await told()).at(-1), { subject: 'bootstrap', role: 'loket', told: 1 }, 'nor do two that start at once')
  const [count] = await database.query(`select count(*)::int as told from events where type = 'token.issued'`)
  t.same(count, { told: 5 })
})
