/** Ten thousand requests wait, some of them poisoned, and the broker is killed: all are decided, once, in their order. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import t, { type Test } from 'tap'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { seedFederationRows } from '../support/federation-rows.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type RunningBroker, startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const waiting = Number(process.env.QUEUE_LENGTH ?? 10_000)
const kills = 3
const log = pino({ level: 'silent' })

const timeoutMs = 600_000
t.setTimeout(timeoutMs)
t.test(`${waiting} requests and ${kills} times kill -9`, { timeout: timeoutMs }, async (t) => {
  const { path: folder, remove } = temporaryFolder('queue')
  let broker: RunningBroker = await startProcess(folder)
  const store = await startEmbedded({ dataDirectory: folder, log })
  const database = openDatabase({ url: store.url, connections: 2 })
  t.teardown(async () => {
    await broker.end('SIGKILL')
    await database.close()
    await store.stop()
    remove()
  })
  await firstRequest(broker)
  await broker.end('SIGKILL')
  await database.query(
    `insert into hostings (id, name, system_id, party_id, spec, starts_at, ends_at, priority, wanted, request_id,
       created_at, updated_at)
     select 'hst_' || lpad(n::text, 26, '0'), 'h-' || n, system_id, party_id,
       case when n % 1000 = 77 then '{"components": 5, "fallback": {"mode": "none"}}' else spec end,
       starts_at, ends_at, (n * 37) % 101, 'running', request_id, now(), now()
     from hostings, generate_series(2, $1) n`,
    [waiting],
  )
  const [loket] = await database.query<{ id: string }>(`select id from parties where 'loket' = any(roles)`)
  const offer = { cpu: 10 ** 9, memory: 2 ** 50, pods: 10 ** 6 }
  const seed = () => seedFederationRows(database, { partyId: loket?.id ?? '', datacenters: 4, nodes: 20, offer })
  const decided = async () =>
    (await database.query<{ n: number }>(`select count(*) as n from hostings where scheduling <> 'pending'`))[0]?.n ?? 0

  await seed()
  for (let kill = 1; kill <= kills; kill++) {
    broker = await startProcess(folder)
    await until(async () => (await decided()) >= (waiting * kill) / (kills + 1), `${kill} quarters are decided`)
    if (kill === 1) await checkMetrics(t, broker)
    await broker.end('SIGKILL')
    t.comment(`killed after ${await decided()}`)
    await seed()
  }
  broker = await startProcess(folder)
  await until(async () => (await decided()) === waiting, 'all are decided')

  const outcomes = await database.query<{ type: string; n: number }>(
    `select type, count(*) as n, count(distinct subject_id) as subjects from events
     where type in ('hosting.placed', 'hosting.unschedulable')
     group by 1 order by 1`,
  )
  t.match(outcomes, [
    { type: 'hosting.placed', n: waiting - poisoned(), subjects: waiting - poisoned() },
    { type: 'hosting.unschedulable', n: poisoned(), subjects: poisoned() },
  ])
  const inOrder = await database.query(
    `select h.name from (
       select subject_id, row_number() over (order by sequence) as decided from events
       where type in ('hosting.placed', 'hosting.unschedulable')) e
     join (select id, name, row_number() over (order by priority desc, queue_position) as asked from hostings) h
       on h.id = e.subject_id
     where e.decided <> h.asked limit 5`,
  )
  t.same(inOrder, [], 'in the order of priority and arrival, through every restart')
})

const poisoned = () => Array.from({ length: waiting + 1 }, (_, n) => n).filter((n) => n >= 2 && n % 1000 === 77).length

async function checkMetrics(t: Test, broker: RunningBroker): Promise<void> {
  const page = await (await fetch(`${broker.management}/metrics`)).text()
  const value = (pattern: RegExp) => Number(pattern.exec(page)?.[1] ?? Number.NaN)
  t.ok(value(/^gemeentecloud_queue_depth\{priority="0"\} (\d+)$/m) > 0, 'the lowest wait')
  t.ok(value(/^gemeentecloud_queue_depth\{priority="1-49"\} (\d+)$/m) > 0)
  t.ok(value(/^gemeentecloud_queue_oldest_age_seconds\{priority="0"\} ([\d.]+)$/m) > 0)
  const [count, sum] = [/_count (\d+)$/m, /_sum (\d+)$/m].map((end) =>
    value(new RegExp(`^gemeentecloud_block_decisions${end.source}`, 'm')),
  )
  t.ok((sum ?? 0) > 4 * (count ?? 0), `${sum} decisions in ${count} blocks`)
}

async function firstRequest(broker: RunningBroker): Promise<void> {
  const send = async (path: string, body: object) => {
    const headers = {
      authorization: `Bearer ${broker.tokens.consumer}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      prefer: 'wait=0',
    }
    const response = await fetch(`${broker.api}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await response.json()) as { id: string }).id
  }
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const systemId = await send('/systems', { slug: 'zaak', name: 'Open Zaak', classes })
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '1m', memory: '1Mi' } }]
  await send('/hostings', { name: 'h-1', systemId, components, fallback: { mode: 'none' }, priority: 100 })
}
