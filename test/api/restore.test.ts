/** A dump in a new server: its count of transactions begins anew, and the statement of docs/operating.md mends that. */
import t from 'tap'
import { until } from '../clusters/wait.ts'
import { testApi } from '../support/api.ts'
import { codeUnder } from '../support/operating.ts'

/** Further than the tests beside this one, which share its server, will count meanwhile. */
const ahead = 200_000

t.test('events of before are seen again, and new ones come after them', async (t) => {
  const { kit, call } = await testApi(t)
  const types = async (): Promise<string[]> => {
    const { body } = await call('auditor', 'GET', 'events?limit=500')
    return body.items.map(({ type }: { type: string }) => type)
  }
  // Nobody sees an event while a transaction that began before it still runs, in whichever test.
  const seen = (count: number) =>
    until(`${count} events`, 30_000, async () => {
      const found = await types()
      return found.length === count ? found : undefined
    })
  const [stored] = await kit.database.query<{ count: number }>('select count(*) from events')
  const before = await seen(stored?.count ?? 0)

  // As a dump brings it: an event of a server that had counted further.
  await kit.database.query(
    `insert into events (id, transaction, type, subject_kind, subject_id, actor, data, at)
     values ('evt_00000000000000000000000001', (pg_current_xact_id()::text::bigint + ${ahead})::text::xid8,
       'party.restored', 'party', 'pty_00000000000000000000000001', 'broker', '{}', now())`,
  )
  t.same(await types(), before, 'nobody sees it')

  await kit.database.query(codeUnder('PostgreSQL', 'sql', 'xid8'))
  t.same(await seen(before.length + 1), [...before, 'party.restored'])
  const party = { name: 'Gemeente Later', oin: '00000099000000777000', roles: ['consumer'] }
  t.equal((await call('loket', 'POST', 'parties', { body: party })).status, 201)
  t.same(await seen(before.length + 2), [...before, 'party.restored', 'party.admitted'], 'what happens next comes last')
})
