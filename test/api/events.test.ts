/** The event log: complete, in order, followed live, resumed where one was, and never skipping a late commit. */
import { request } from 'node:http'
import t from 'tap'
import { readEvents } from '../../services/broker/audit/service.ts'
import { insertEvents } from '../../services/shared/audit/store.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { testApi } from '../support/api.ts'
import { testDatabase } from '../support/database.ts'

const event = (id: string) => ({
  id,
  type: 'test.happened',
  subject: { kind: 'test', id: 'one' },
  partyId: null,
  actor: 'test',
  requestId: null,
  data: {},
})

t.test('an event that commits late is read in its turn, not skipped', async (t) => {
  const database = await testDatabase(t)
  const ids = async (cursor?: string) => (await readEvents(database, cursor, {}, 100)).events.map((e) => e.id)
  await database.transaction((sql) => insertEvents(sql, [event('first')], new Date()))
  const soon = Date.now() + 10_000
  while ((await ids()).length < 1 && Date.now() < soon) await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(await ids(), ['first'])

  let release: () => void = () => undefined
  const slow = database.transaction(async (sql) => {
    await insertEvents(sql, [event('slow')], new Date())
    await new Promise<void>((resolve) => {
      release = resolve
    })
  })
  const deadline = Date.now() + 5_000
  const writing = `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`
  while ((await database.query(writing)).length === 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10))
  await database.transaction((sql) => insertEvents(sql, [event('fast')], new Date()))
  t.same(await ids(), ['first'], 'the fast one waits for the slow one before it')
  release()
  await slow
  // Transactions of other databases on the same server hold events back too, for as long as they run.
  const later = Date.now() + 10_000
  while ((await ids()).length < 3 && Date.now() < later) await new Promise((resolve) => setTimeout(resolve, 10))
  t.same(await ids(), ['first', 'slow', 'fast'])
  const [first] = (await readEvents(database, undefined, {}, 1)).events
  t.same(await ids(first?.cursor), ['slow', 'fast'])
})

t.test('transactions are ordered as numbers, also where they get a digit more', async (t) => {
  const database = await testDatabase(t)
  for (const [index, transaction] of ['2', '9', '10', '100'].entries()) {
    await insertEvents(database, [event(`e${index}`)], new Date())
    await database.query('update events set transaction = $1::xid8 where id = $2', [transaction, `e${index}`])
  }
  const read: string[] = []
  for (let cursor: string | undefined; ; ) {
    const [next] = (await readEvents(database, cursor, {}, 1)).events
    if (next === undefined) break
    read.push(next.id)
    cursor = next.cursor
  }
  t.same(read, ['e0', 'e1', 'e2', 'e3'], 'page by page, each once')
})

t.test('followed live as server-sent events and resumed by Last-Event-ID', async (t) => {
  const api = await testApi(t)
  const base = await api.listen()
  const system = (slug: string) => ({
    slug,
    name: slug,
    classes: { availability: 1, integrity: 1, confidentiality: 1 },
  })
  await api.call('consumer', 'POST', 'systems', { body: system('one') })
  const stream = follow(`${base}/api/v1/events`, api.tokenOf('consumer'))
  t.teardown(stream.stop)
  const before = await stream.until((events) => events.some((e) => e.data.slug === 'one'))
  await api.call('consumer', 'POST', 'systems', { body: system('two') })
  const live = await stream.until((events) => events.some((e) => e.data.slug === 'two'))
  t.ok(live.length > before.length)
  stream.stop()

  await api.call('consumer', 'POST', 'systems', { body: system('three') })
  const resumed = follow(`${base}/api/v1/events`, api.tokenOf('consumer'), live.at(-1)?.cursor)
  t.teardown(resumed.stop)
  const rest = await resumed.until((events) => events.some((e) => e.data.slug === 'three'))
  t.same(
    rest.map((e) => e.data.slug),
    ['three'],
    'only what came after',
  )
  t.equal((await api.call('consumer', 'GET', 'events?cursor=nonsense')).status, 400)
  t.equal((await api.call('consumer', 'GET', 'events', { headers: { accept: 'text/csv' } })).status, 406)
})

t.test('a hint reaches listeners of another process', async (t) => {
  const database = await testDatabase(t)
  const other = openDatabase({ url: database.url })
  let woken = 0
  const stop = other.listen('events', () => woken++)
  t.teardown(async () => {
    await stop()
    await other.close()
  })
  const deadline = Date.now() + 5_000
  while (woken === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  const connected = woken
  await database.transaction((sql) => insertEvents(sql, [event('x')], new Date()))
  while (woken === connected && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10))
  t.ok(woken > connected)
})

interface Seen {
  readonly cursor: string
  readonly data: { readonly slug?: string }
}

function follow(url: string, token: string, lastEventId?: string) {
  const events: Seen[] = []
  const waiting: (() => void)[] = []
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'text/event-stream',
    ...(lastEventId && { 'last-event-id': lastEventId }),
  }
  const call = request(url, { headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data) events.push(JSON.parse(data))
      }
      for (const wake of waiting.splice(0)) wake()
    })
    response.on('error', () => undefined)
  })
  call.on('error', () => undefined)
  call.end()
  return {
    stop: () => call.destroy(),
    until: async (done: (events: Seen[]) => boolean): Promise<Seen[]> => {
      while (!done(events)) await new Promise<void>((resolve) => waiting.push(resolve))
      return [...events]
    },
  }
}
