/** Streams of events are bounded: by the life of their token, in number, and in what each look into the log costs. */
import { get, type IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import { readEvents } from '../../services/broker/audit/service.ts'
import { selectEvents } from '../../services/broker/audit/store.ts'
import { type EventSource, followEvents, type Told } from '../../services/broker/audit/stream.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Row } from '../../services/shared/db/database.ts'
import { testApi } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'

/** Opens a stream that nothing will come on, unless told otherwise, and ends it with the test. */
function open(t: Test, base: string, token: string, query = '?type=never.happens'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const call = get(`${base}/api/v1/events${query}`, { headers, agent: false }, resolve)
    call.on('error', reject)
    t.teardown(() => call.destroy())
  })
}

const textOf = async (response: IncomingMessage) => Buffer.concat(await response.toArray()).toString()

t.test('a stream ends with the token that opened it', async (t) => {
  const api = await testApi(t)
  const base = await api.listen()
  const expiresAt = Date.now() + 4_000
  const body = { subject: 'visitor', role: 'auditor', expiresAt: new Date(expiresAt).toISOString() }
  const issued = await api.call('loket', 'POST', `parties/${api.parties.auditor}/tokens`, { body })
  const stream = await open(t, base, issued.body.token, '')
  t.equal(stream.statusCode, 200)
  const text = await textOf(stream)
  t.match(text, /event: token.issued/)
  t.ok(Date.now() >= expiresAt, 'not before')
  t.equal((await open(t, base, issued.body.token)).statusCode, 401, 'nor is it believed for the sake of the cache')
})

t.test('a client knows at once that it follows, and by the same headers as elsewhere', async (t) => {
  const api = await testApi(t)
  const base = await api.listen()
  const began = systemClock.monotonic()
  const stream = await open(t, base, api.tokenOf('auditor'))
  t.ok(systemClock.monotonic() - began < 10_000, 'before the first sign of life, which comes after 15 s')
  t.match(stream.headers, { 'content-type': 'text/event-stream', 'x-content-type-options': 'nosniff' })
})

t.test('a token follows ten times at most; who leaves makes room', async (t) => {
  const api = await testApi(t)
  const base = await api.listen()
  const open10 = Array.from({ length: 10 }, () => open(t, base, api.tokenOf('auditor')))
  const streams = await Promise.all(open10)
  t.same(
    streams.map(({ statusCode }) => statusCode),
    Array(10).fill(200),
  )
  const refused = await open(t, base, api.tokenOf('auditor'))
  t.match(refused, { statusCode: 429, headers: { 'retry-after': '5' } })
  t.match(JSON.parse(await textOf(refused)).detail, /follows events 10 times already/)
  t.equal((await open(t, base, api.tokenOf('consumer'))).statusCode, 200, 'another token is not concerned')
  streams[0]?.destroy()
  const deadline = Date.now() + 10_000
  let again = await open(t, base, api.tokenOf('auditor'))
  while (again.statusCode === 429 && Date.now() < deadline) again = await open(t, base, api.tokenOf('auditor'))
  t.equal(again.statusCode, 200)
})

t.test('who waits for what never happens does not read the log again and again', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const [newest] = await database.query('select max(transaction)::text as transaction from events')
  const positionOf = (cursor: string) => BigInt(cursor.split('-')[0] ?? '')
  const deadline = Date.now() + 30_000
  // Nothing is read past a transaction that is still open, and those of other tests on the same server count too.
  let first = await readEvents(database, undefined, { type: 'never.happens' }, 200)
  while (positionOf(first.readTo) <= BigInt(String(newest?.transaction)) && Date.now() < deadline)
    first = await readEvents(database, first.readTo, { type: 'never.happens' }, 200)
  t.same(first.events, [])
  t.ok(positionOf(first.readTo) > BigInt(String(newest?.transaction)), 'it stands behind all that was looked at')

  await api.newParty('consumer', 'Later')
  let later = await readEvents(database, first.readTo, { type: 'party.admitted' }, 200)
  while (later.events.length === 0 && Date.now() < deadline)
    later = await readEvents(database, first.readTo, { type: 'party.admitted' }, 200)
  t.same(
    later.events.map(({ data }) => data['name']),
    ['Later'],
    'and skips nothing',
  )
  const ahead = '8999999999999999999-7'
  t.equal((await readEvents(database, ahead, {}, 200)).readTo, ahead, 'a restored store sends nobody back')
})

t.test('the events of a party or a subject are found without reading those of others', async (t) => {
  const database = await testDatabase(t)
  await database.query(
    `insert into events (id, type, subject_kind, subject_id, party_id, actor, data, at)
     select 'e' || n, 'test.happened', 'test', 's' || n % 1000, 'p' || n % 1000, 'test', '{}', now()
     from generate_series(1, 20000) n`,
  )
  await database.query('analyze events')
  const planOf = async (filter: Parameters<typeof selectEvents>[2]) => {
    let plan: Row[] = []
    const explain = async (text: string, values?: readonly unknown[]) => {
      plan = await database.query(`explain ${text}`, values)
      return []
    }
    const asked = { query: explain, hint: () => undefined }
    await selectEvents(asked, { transaction: '3', sequence: 0 }, filter, 200)
    return plan.map((row) => row['QUERY PLAN']).join('\n')
  }
  t.match(await planOf({ partyId: 'p7' }), /events_party_order/)
  t.match(await planOf({ subjectId: 's7' }), /events_subject_order/)
  t.match(await planOf({}), /events_order/)
})

t.test('signs of life come every 15 s, however often there is news for others', async (t) => {
  let now = 0
  let reads = 0
  const source: EventSource = {
    clock: { ...systemClock, monotonic: () => now, sleep: async () => undefined },
    read: async () => ({ events: [], readTo: `${++reads}-0` }),
    changed: async () => {
      now += 100
    },
    admit: () => () => undefined,
    closed: new AbortController().signal,
    close: async () => undefined,
  }
  const followed = followEvents(source, undefined, {}, async () => now < 61_000)
  const told: { at: number; what: Told }[] = []
  for await (const what of followed) told.push({ at: now, what })
  t.same(told, [
    { at: 15_000, what: { readTo: '151-0' } },
    { at: 30_000, what: { readTo: '302-0' } },
    { at: 45_000, what: { readTo: '453-0' } },
    { at: 60_000, what: { readTo: '604-0' } },
  ])
})
