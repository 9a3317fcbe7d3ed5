/** A hosting goes elsewhere for real: pods of simulated clusters, and agents over the tunnel. */
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Hosting, Operation } from '../../schemas/index.ts'
import type { Row } from '../../services/fallback/index.ts'
import { type Federation, type FederationSite, fallbackFederation } from '../support/fallback-federation.ts'
import { until } from '../support/until.ts'

t.setTimeout(300_000)

const at = ({ placements }: Hosting, role: string) => placements.find((each) => each.role === role)?.datacenterId

async function running(federation: Federation, id: string): Promise<Hosting> {
  const isReady = ({ state, fallbackStatus }: Hosting) => state === 'running' && fallbackStatus === 'ready'
  await until(async () => isReady(await federation.show(id)), 'it runs and has its fallback')
  const hosting = await federation.show(id)
  await until(
    () => federation.site(at(hosting, 'primary')).podsAllowed(hosting.name) === '2',
    'its site was granted it',
  )
  return hosting
}

async function confirmed({ consumer, loket }: Federation, id: string, body: object): Promise<Operation> {
  const made = await consumer.send<Operation>('POST', `/hostings/${id}/failovers`, body, randomUUID())
  const word = { kind: 'agreed', statement: 'afgesproken met de beheerder' }
  return loket.send<Operation>('POST', `/operations/${made.id}/confirmations`, word, randomUUID())
}

/** What stands where, for when pods do not come. */
async function runsAt(
  federation: Federation,
  site: FederationSite,
  hosting: { id: string; name: string },
  what: string,
) {
  try {
    await until(() => site.pods(hosting.name) === 2, what)
  } catch (error) {
    const { placements } = await federation.show(hosting.id)
    const [lease] = await federation.database.query('select row from leases where hosting_id = $1', [hosting.id])
    const operations = await federation.database.query('select state, steps from operations where hosting_id = $1', [
      hosting.id,
    ])
    const deployment = site.cluster.store.get('Deployment', hosting.name, 'web')
    const quota = site.podsAllowed(hosting.name)
    const found = JSON.stringify({ at: site.id, quota, deployment, placements, lease, operations }, undefined, 1)
    throw new Error(`${what}: ${found}`, { cause: error })
  }
}

const isDone = async ({ loket }: Federation, { id }: Operation) =>
  (await loket.get<Operation>(`/operations/${id}`)).state === 'done'

t.test('a site is lost with its cluster and its agent: its pods run at the standby', async (t) => {
  const federation = await fallbackFederation(t, { slugs: ['noord', 'zuid'], agents: true })
  const { id, name } = await federation.host('zaken', { mode: 'cold', activity: 'exclusive' })
  const before = await running(federation, id)
  const [from, to] = [federation.site(at(before, 'primary')), federation.site(at(before, 'standby'))]
  from.deploy(name)
  await until(() => from.pods(name) === 2, 'its pods run')
  await until(() => to.cluster.store.get('Deployment', name, 'web') !== undefined, 'the standby has its objects')
  t.equal(to.pods(name), 0, 'asleep')
  await from.kill()
  await until(async () => (await federation.loket.get<any>(`/datacenters/${from.id}`)).contact === 'lost', 'it is lost')
  const operation = await confirmed(federation, id, { reason: 'stroom weg' })
  t.match(operation.plan, { method: 'wait', from: from.id, to: to.id })
  await runsAt(federation, to, before, 'its pods run at the standby')
  await until(() => isDone(federation, operation), 'the failover is done')
  t.match(await federation.show(id), {
    fallbackStatus: 'failed-over',
    fallbackReasons: ['no-standby'],
    state: 'running',
  })
})

for (const [by, agents] of [
  ['agents', true],
  ['the desk alone', false],
] as const)
  t.test(`a move and back, by ${by}: stopped before it starts`, (t) => moveAndBack(t, agents))

async function moveAndBack(t: Test, agents: boolean) {
  const federation = await fallbackFederation(t, { slugs: ['noord', 'zuid'], agents })
  const { id, name } = await federation.host('verhuist', { mode: 'cold' })
  const before = await running(federation, id)
  const [from, to] = [federation.site(at(before, 'primary')), federation.site(at(before, 'standby'))]
  from.deploy(name)
  await until(() => from.pods(name) === 2, 'its pods run')
  await until(() => to.cluster.store.get('Deployment', name, 'web') !== undefined, 'the standby has its objects')
  let both = 0
  const watching = setInterval(() => {
    if (from.pods(name) > 0 && to.pods(name) > 0) both += 1
  }, 20)
  t.teardown(() => clearInterval(watching))
  const move = await confirmed(federation, id, { kind: 'move', reason: 'onderhoud' })
  t.equal(move.plan.method, 'stop')
  await runsAt(federation, to, before, 'its pods run there')
  await until(() => isDone(federation, move), 'the move is done')
  await until(async () => at(await federation.show(id), 'standby') === from.id, 'the site that it left stands by')
  const back = await confirmed(federation, id, { kind: 'failback', reason: 'klaar' })
  await runsAt(federation, from, before, 'they are back')
  await until(() => isDone(federation, back), 'the failback is done')
  t.equal(both, 0, 'never at both')
}

const backedUp = ['hostings', 'placements', 'claims', 'leases'] as const

/** As of a backup, with the leader that is begun anew, as after a restart. */
async function putBack({ database }: Federation): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query(`update hostings h set epoch = o.epoch from old_hostings o where o.id = h.id`)
    for (const table of ['leases', 'claims', 'placements']) await sql.query(`delete from ${table}`)
    for (const table of ['placements', 'claims', 'leases'])
      await sql.query(`insert into ${table} select * from old_${table}`)
    await sql.query(`update fallback_state set store = 'that of the backup'`)
    await sql.query(`update leader set epoch = epoch + 1`)
  })
}

t.test('a store that was put back has forgotten a move by the desk alone: the cluster tells of it', async (t) => {
  const federation = await fallbackFederation(t, { slugs: ['noord', 'zuid'], agents: false })
  const { database } = federation
  const { id, name } = await federation.host('vergeten', { mode: 'cold' })
  const before = await running(federation, id)
  const [from, to] = [federation.site(at(before, 'primary')), federation.site(at(before, 'standby'))]
  from.deploy(name)
  await until(() => from.pods(name) === 2, 'its pods run')
  await until(() => to.cluster.store.get('Deployment', name, 'web') !== undefined, 'the standby has its objects')
  for (const table of backedUp) await database.query(`create table old_${table} as select * from ${table}`)
  const move = await confirmed(federation, id, { kind: 'move', reason: 'onderhoud' })
  await runsAt(federation, to, before, 'its pods run there')
  await until(() => isDone(federation, move), 'the move is done')
  await until(async () => at(await federation.show(id), 'standby') === from.id, 'the site that it left stands by')
  const wrong = { again: 0, less: 0 }
  const watching = setInterval(() => {
    if (from.pods(name) > 0) wrong.again += 1
    if (to.pods(name) < 2) wrong.less += 1
  }, 20)
  t.teardown(() => clearInterval(watching))
  await putBack(federation)
  const row = async () =>
    (await database.query<{ row: Row }>('select row from leases where hosting_id = $1', [id]))[0]?.row
  t.equal((await row())?.holder, from.id, 'the store is wrong')
  const generation = async () =>
    (await database.query<{ generation: number }>('select * from fallback_state'))[0]?.generation
  await until(async () => (await generation()) !== 1, 'it is doubted')
  await until(async () => (await row())?.amnesia === false, 'the clusters have told')
  t.equal((await row())?.holder, to.id, 'who runs it holds it')
  await until(async () => at(await federation.show(id), 'primary') === to.id, 'the placements follow')
  await until(async () => at(await federation.show(id), 'standby') === from.id, 'and what is left')
  t.same(wrong, { again: 0, less: 0 }, 'it ran on there, and nowhere else')
})
