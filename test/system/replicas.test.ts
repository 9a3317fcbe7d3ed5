/**
 * Two brokers on one PostgreSQL: either serves, one decides; when that one is killed or frozen the other takes over, and
 * nothing is placed twice.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import pino from 'pino'
import t from 'tap'
import { selectOverbooked } from '../../services/broker/scheduling/index.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { seedFederationRows } from '../support/federation-rows.ts'
import { temporaryFolder } from '../support/folder.ts'
import { miscounted } from '../support/miscounted.ts'
import { type RunningBroker, startProcess } from '../support/process.ts'

const components = [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }]

t.test('two replicas', { timeout: 180_000 }, async (t) => {
  const folders = [temporaryFolder('replica-a'), temporaryFolder('replica-b')] as const
  const store = await startEmbedded({ dataDirectory: folders[0].path, log: pino({ level: 'silent' }) })
  const database = openDatabase({ url: store.url, connections: 2 })
  const running: RunningBroker[] = []
  t.teardown(async () => {
    for (const broker of running) await broker.end('SIGKILL')
    await database.close()
    await store.stop()
    for (const { remove } of folders) remove()
  })
  const key = () => randomBytes(32).toString('base64')
  const shared = { DATABASE_URL: store.url, ENCRYPTION_KEY: key() }
  const start = async (index: 0 | 1) => {
    const broker = await startProcess(folders[index].path, ['--empty'], shared)
    running.push(broker)
    return broker
  }
  const a = await start(0)
  await t.rejects(
    startProcess(folders[1].path, ['--empty'], { ...shared, ENCRYPTION_KEY: key() }),
    /did not start: the store is sealed under another encryption key: set ENCRYPTION_KEY/,
    'a replica with a key of its own is told what it lacks',
  )
  const b = await start(1)
  const { tokens } = a
  const post = async (broker: RunningBroker, path: string, body: object, wait = 25) => {
    const response = await fetch(`${broker.api}/api/v1/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens.consumer}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        prefer: `wait=${wait}`,
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Record<string, any> }
  }
  const holder = async () =>
    (await database.query<{ holder: string; epoch: number }>('select holder, epoch from leader'))[0]
  const leaderIs = async (broker: RunningBroker) => (await holder())?.holder.startsWith(`${broker.process.pid}@`)

  const [loket] = await database.query<{ id: string }>(`select id from parties where 'loket' = any(roles)`)
  const offer = { cpu: 20_000, memory: 2 ** 40, pods: 500 }
  const federation = { partyId: loket?.id ?? '', datacenters: 3, nodes: 2, offer }
  await seedFederationRows(database, federation)
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const systemId = (await post(b, 'systems', { slug: 'zaak', name: 'Zaak', classes })).body.id
  const ask = (broker: RunningBroker, name: string) =>
    post(broker, 'hostings', { name, systemId, components, fallback: { mode: 'cold' } })

  t.ok(await leaderIs(a), 'the first that came leads')
  t.match(await ask(b, 'by-b'), { status: 201, body: { state: 'provisioning' } }, 'asked of one, decided by the other')

  // 1. Frozen, as by a debugger or a hypervisor: its connection stands, so it leads until PostgreSQL ends that.
  a.process.kill('SIGSTOP')
  const before = (await holder())?.epoch ?? 0
  const frozen = ask(b, 'while-frozen')
  await database.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and objid = ${0x67656d65}`,
  )
  t.match(await frozen, { status: 201, body: { state: 'provisioning' } }, 'the other has taken over')
  t.ok(await leaderIs(b))
  t.ok(((await holder())?.epoch ?? 0) > before, 'under a higher epoch')
  a.process.kill('SIGCONT')
  t.match(
    await ask(a, 'after-the-thaw'),
    { status: 201, body: { state: 'provisioning' } },
    'it serves on, and leads no more',
  )
  t.ok(await leaderIs(b))

  // 2. Killed.
  await seedFederationRows(database, federation)
  await b.end('SIGKILL')
  t.match(await ask(a, 'after-the-kill'), { status: 201, body: { state: 'provisioning' } })
  t.ok(await leaderIs(a))

  const placed = await database.query<{ name: string; n: number }>(
    `select h.name, count(*) as n from hostings h join placements p on p.hosting_id = h.id group by 1 order by 1`,
  )
  t.same(
    placed,
    ['after-the-kill', 'after-the-thaw', 'by-b', 'while-frozen'].map((name) => ({ name, n: 2 })),
  )
  const decided = await database.query<{ n: number }>(
    `select count(*) as n from events where type = 'hosting.placed' group by subject_id`,
  )
  t.same(decided, [{ n: 1 }, { n: 1 }, { n: 1 }, { n: 1 }], 'each told once')
  const ids = (await database.query<{ id: string }>('select id from datacenters')).map(({ id }) => id)
  t.same(await selectOverbooked(database, ids, new Date()), [])
  t.same(await miscounted(database), [])
})
