/** kill -9 of the broker under load: what was acknowledged is there and placed once, nothing is claimed twice. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import t from 'tap'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { seedFederationRows } from '../support/federation-rows.ts'
import { temporaryFolder } from '../support/folder.ts'
import { miscounted } from '../support/miscounted.ts'
import { type RunningBroker, startProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const rounds = Number(process.env.KILL_ROUNDS ?? 8)
const clients = 8
/** Of those, the ones that hold a place before they ask for it. */
const holders = 2
const log = pino({ level: 'silent' })

interface Attempt {
  readonly key: string
  readonly body: { readonly name: string; readonly quoteId?: string }
  status?: number
}

const timeoutMs = 60_000 + rounds * 15_000
t.setTimeout(timeoutMs)
t.test(`${rounds} rounds of kill -9 under load`, { timeout: timeoutMs }, async (t) => {
  const { path: folder, remove } = temporaryFolder('kill')
  let broker: RunningBroker = await startProcess(folder)
  const store = await startEmbedded({ dataDirectory: folder, log })
  t.ok(store.adopted, 'the test looks into the store that the broker runs')
  const database = openDatabase({ url: store.url, connections: 2 })
  t.teardown(async () => {
    await broker.end('SIGKILL')
    await database.close()
    await store.stop()
    remove()
  })
  const [loket] = await database.query<{ id: string }>(`select id from parties where 'loket' = any(roles)`)
  // Room for some of the requests only, so that the last places are fought for in every round.
  const federation = {
    partyId: loket?.id ?? '',
    datacenters: 4,
    nodes: 3,
    offer: { cpu: 20_000, memory: 2 ** 40, pods: 500 },
  }
  await seedFederationRows(database, federation)
  const systemId = await newSystem(broker)

  const attempts: Attempt[] = []
  const asked = demand(systemId)
  const kept = await hold(broker, asked)
  for (let round = 0; round < rounds; round++) {
    await seedFederationRows(database, federation)
    const load = new AbortController()
    const running = Array.from({ length: clients }, (_, i) =>
      client(broker, systemId, attempts, i < holders, load.signal),
    )
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 900))
    await broker.end('SIGKILL')
    load.abort()
    await Promise.all(running)
    broker = await startProcess(folder)
    for (const attempt of attempts.filter((a) => a.status === undefined)) attempt.status = await post(broker, attempt)
  }

  const last: Attempt = { key: randomUUID(), body: { name: 'kept', ...asked, quoteId: kept ?? '' } }
  attempts.push(last)
  last.status = await post(broker, last)
  const deadline = Date.now() + 30_000
  while (
    (await database.query(`select 1 from hostings where scheduling = 'pending' limit 1`)).length > 0 &&
    Date.now() < deadline
  ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.ok(attempts.length > rounds * clients, `${attempts.length} requests`)
  t.same(
    attempts.filter((a) => a.status !== 202),
    [],
    'every request was acknowledged, at once or when repeated with its key',
  )
  const taken = attempts.filter(({ body }) => body.quoteId !== undefined).length
  t.comment(`${taken} of them took over a place that was held, one through all of it`)
  const held = await database.query(`select 1 from hostings where wanted = 'held'`)
  t.comment(`${held.length} were held and not taken`)
  await database.query(`update quotes set held_until = now() - interval '1 minute'`)
  await until(
    async () => (await database.query(`select 1 from hostings where wanted = 'held' limit 1`)).length === 0,
    'what nobody took is let go',
  )
  const hostings = await database.query<{
    name: string
    scheduling: string
    placements: number
    claims: number
    events: number
  }>(
    `select h.name, h.scheduling, (select count(*) from placements p where p.hosting_id = h.id) as placements,
       (select count(*) from claims c where c.hosting_id = h.id) as claims,
       (select count(*) from events e where e.subject_id = h.id and e.type = 'hosting.requested') as events from hostings h`,
  )
  t.same(hostings.map((h) => h.name).sort(), attempts.map((a) => a.body.name).sort(), 'every one is there, once')
  const odd = hostings.filter((h) => {
    const wanted = h.scheduling === 'placed' ? 2 : 0
    return h.scheduling === 'pending' || h.placements !== wanted || h.claims !== wanted || h.events !== 1
  })
  t.same(odd, [], 'each is decided, placed once with one claim a site, and told once')
  const placed = hostings.filter((h) => h.scheduling === 'placed').length
  t.ok(placed > 0 && placed < hostings.length, `${placed} of ${hostings.length} found room`)
  const ids = (await database.query<{ id: string }>('select id from datacenters')).map((d) => d.id)
  t.same(await selectOverbooked(database, ids, new Date()), [], 'nothing is claimed beyond the offers')
  t.same(await miscounted(database), [], 'and what is claimed is summed right')
})

const demand = (systemId: string) => ({
  systemId,
  components: [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }],
  fallback: { mode: 'cold' },
})

async function client(
  broker: RunningBroker,
  systemId: string,
  attempts: Attempt[],
  holds: boolean,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const asked = demand(systemId)
    try {
      const quoteId = holds ? await hold(broker, asked) : undefined
      const body = { name: `h-${randomUUID()}`, ...asked, ...(quoteId && { quoteId }) }
      const attempt: Attempt = { key: randomUUID(), body }
      attempts.push(attempt)
      attempt.status = await post(broker, attempt)
    } catch {
      // No answer: the broker is gone. The attempt stays open and is repeated with its key.
      return
    }
  }
}

async function post(broker: RunningBroker, { key, body }: Attempt): Promise<number> {
  const response = await send(broker, '/hostings', body, key)
  await response.text()
  return response.status
}

/** A place that is held until the test is over; undefined when there is none. */
async function hold(broker: RunningBroker, asked: object): Promise<string | undefined> {
  const response = await send(broker, '/quotes', { ...asked, holdMinutes: 60 }, randomUUID())
  const { id, hold } = (await response.json()) as { id: string; hold?: { state: string } }
  return hold?.state === 'held' ? id : undefined
}

async function newSystem(broker: RunningBroker): Promise<string> {
  const body = { slug: 'zaak', name: 'Open Zaak', classes: { availability: 1, integrity: 1, confidentiality: 1 } }
  return ((await (await send(broker, '/systems', body, randomUUID())).json()) as { id: string }).id
}

function send(broker: RunningBroker, path: string, body: object, key: string): Promise<Response> {
  const headers = {
    authorization: `Bearer ${broker.tokens.consumer}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  }
  return fetch(`${broker.api}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}
