/** One leader at a time, and nothing that a deposed one, a stale picture or a poisoned row can spoil. */
import pino from 'pino'
import t from 'tap'
import {
  Deposed,
  runForLeader,
  runParts,
  runScheduler,
  schedulingMetrics,
  selectOverbooked,
} from '../../services/broker/scheduling/index.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { storeDigest } from '../support/store-digest.ts'

const quiet = pino({ level: 'silent' })
const classes = { availability: 1, integrity: 1, confidentiality: 1 }

async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within 15 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface AskOptions {
  readonly as?: Parameters<TestApi['call']>[0]
  readonly priority?: number
}

async function ask(api: TestApi, name: string, cpu = '500m', { as = 'consumer', ...more }: AskOptions = {}) {
  const systems = await api.call(as, 'GET', 'systems?slug=zaak')
  const systemId =
    systems.body.items[0]?.id ??
    (await api.call(as, 'POST', 'systems', { body: { slug: 'zaak', name: 'Z', classes } })).body.id
  const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: '1Gi' } }]
  return (
    await api.call(as, 'POST', 'hostings', {
      body: { name, systemId, components, fallback: { mode: 'none' }, ...more },
    })
  ).body.id as string
}

t.test('one replica leads; when its connection dies another takes over with a higher epoch', async (t) => {
  const api = await testApi(t)
  const { url } = api.kit.database as typeof api.kit.database & { url: string }
  const replicas = [0, 1, 2].map(() => {
    const kit = { ...api.kit, log: quiet, database: openDatabase({ url, connections: 2 }) }
    const epochs: number[] = []
    const leader = runForLeader(kit, 'test', async (term) => {
      epochs.push(term.epoch)
      await new Promise<void>((resolve) => term.signal.addEventListener('abort', () => resolve()))
    })
    return { kit, epochs, leader }
  })
  t.teardown(async () => {
    for (const { kit, leader } of replicas) {
      await leader.stop()
      await kit.database.close()
    }
  })
  const leading = () => replicas.filter((r) => r.leader.isLeader())
  await until(() => leading().length === 1, 'a leader')
  // The same replica may win again, so its epoch is kept as it is now.
  const before = Math.max(...replicas.flatMap((r) => r.epochs))
  await api.kit.database.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
       and database = (select oid from pg_database where datname = current_database())`,
  )
  await until(() => Math.max(...replicas.flatMap((r) => r.epochs)) > before, 'a new term')
  await until(() => leading().length === 1, 'exactly one leader again')
  const epochs = replicas.flatMap((r) => r.epochs)
  t.equal(new Set(epochs).size, epochs.length, 'no epoch twice')
})

t.test('a part of the leader that fails is started again and stops no other; being deposed stops all', async (t) => {
  const api = await testApi(t)
  const kit = { ...api.kit, log: quiet }
  const term = { epoch: 1, signal: new AbortController().signal }
  let tries = 0
  let otherEnded = false
  await runParts(kit, term, {
    failing: async () => {
      tries++
      if (tries === 1) throw new Error('one bad row')
      t.notOk(otherEnded, 'the other goes on')
      throw new Deposed('epoch 1 leads no more')
    },
    other: ({ signal }) =>
      new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          otherEnded = true
          resolve()
        }),
      ),
  })
  t.equal(tries, 2)
  t.ok(otherEnded)
})

t.test('a leader of an old epoch changes nothing', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter()
  const id = await ask(api, 'zaak')
  await api.kit.database.query('update leader set epoch = 7')
  const metrics = schedulingMetrics(createRegistry(), api.kit, () => true)
  const term = { epoch: 6, signal: new AbortController().signal }
  await t.rejects(
    runScheduler({ ...api.kit, log: quiet }, term, { metrics, decided: () => undefined }),
    /epoch 6 leads no more/,
  )
  t.equal((await api.call('consumer', 'GET', `hostings/${id}`)).body.state, 'pending')
  t.same(await api.kit.database.query('select 1 from placements'), [])
})

t.test('a decision that cannot be told is not made', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter()
  const id = await ask(api, 'zaak')
  const { database } = api.kit
  const before = await storeDigest(database)
  await database.query('alter table events add constraint refused check (false) not valid')
  const metrics = schedulingMetrics(createRegistry(), api.kit, () => true)
  const term = { epoch: 0, signal: new AbortController().signal }
  const run = runScheduler({ ...api.kit, log: quiet }, term, { metrics, decided: () => undefined })
  await t.rejects(run, { message: /constraint "refused"/ }, 'the term ends, for the store is at fault')
  t.same(await storeDigest(database), before, 'no placement, no claim, no outcome, no generation')
  await database.query('alter table events drop constraint refused')
  api.schedule()
  await until(async () => (await api.call('consumer', 'GET', `hostings/${id}`)).body.state === 'provisioning', 'placed')
})

t.test('a row that cannot be digested is refused and does not stop the queue', async (t) => {
  const api = await testApi(t)
  await api.activeDatacenter()
  const ids = [await ask(api, 'before'), await ask(api, 'poison'), await ask(api, 'after')]
  await api.kit.database.query(
    `update hostings set spec = '{"components": 5, "fallback": {"mode": "none"}}' where id = $1`,
    [ids[1]],
  )
  api.schedule()
  const state = async (id = '') =>
    (await api.kit.database.query<{ scheduling: string }>('select scheduling from hostings where id = $1', [id]))[0]
      ?.scheduling
  await until(async () => (await state(ids[2])) === 'placed', 'the one behind the poison is placed')
  t.equal(await state(ids[0]), 'placed')
  t.equal(await state(ids[1]), 'unschedulable')
})

t.test('many at once never claim more than is offered', async (t) => {
  const api = await testApi(t)
  const id = await api.activeDatacenter({ offer: { cpu: '4', memory: '64Gi', pods: '100' } })
  const first = await ask(api, 'h0')
  const asked = [first, ...(await Promise.all(Array.from({ length: 19 }, (_, i) => ask(api, `h${i + 1}`))))]
  api.schedule()
  await until(
    async () => (await api.kit.database.query(`select 1 from hostings where scheduling = 'pending'`)).length === 0,
    'all decided',
  )
  const placed = await api.kit.database.query(`select 1 from hostings where scheduling = 'placed'`)
  t.equal(new Set(asked).size, 20)
  t.equal(placed.length, 8, 'eight of half a core fill four cores')
  t.same(await selectOverbooked(api.kit.database, [id], new Date()), [])
  await api.kit.database.query(
    `update claims set amounts = amounts || '{"cpu": 501}' where id = (select min(id) from claims)`,
  )
  t.match(
    await selectOverbooked(api.kit.database, [id], new Date()),
    [{ resource: 'cpu', taken: 4001, offered: 4000 }],
    'the check sees one millicore too many',
  )
})

t.test(
  'a party that asks for very much does not starve another of the same priority; priority goes before',
  async (t) => {
    const api = await testApi(t)
    await api.activeDatacenter({ offer: { cpu: '5', memory: '64Gi', pods: '100' } })
    const many = [
      await ask(api, 'many'),
      ...(await Promise.all(Array.from({ length: 39 }, (_, i) => ask(api, `many-${i}`)))),
    ]
    const { token } = await api.newParty('consumer')
    const one = await ask(api, 'one', '500m', { as: { token } })
    const urgent = await ask(api, 'urgent', '500m', { priority: 100 })
    api.schedule()
    await until(
      async () => (await api.kit.database.query(`select 1 from hostings where scheduling = 'pending'`)).length === 0,
      'all decided',
    )
    const placed = await api.kit.database.query<{ id: string; name: string }>(
      `select id, name from hostings where scheduling = 'placed' order by updated_at, name`,
    )
    t.equal(placed.length, 10)
    t.ok(
      placed.some(({ id }) => id === one),
      'who asks for one gets it, though it came last',
    )
    t.ok(
      placed.some(({ id }) => id === urgent),
      'and so does who goes before all',
    )
    t.same(placed.filter(({ id }) => many.includes(id)).length, 8, 'the rest goes to who asked first')
  },
)
