/** One of each thing, for calls that need one to be there. */
import { newId } from '../../../services/shared/ids.ts'
import { createKey, createRequest } from '../../../services/shared/x509.ts'
import type { TestApi } from '../api.ts'
import { signedReport } from '../drill-report.ts'
import { grantAll } from '../granted.ts'

/** Ids of things that exist, one of each kind. */
export interface World {
  readonly partyId: string
  readonly datacenterId: string
  /** Does not answer, and a restored store waits for it. */
  readonly awaitedId: string
  readonly systemId: string
  readonly quoteId: string
  readonly hostingId: string
  readonly planId: string
  /** Of the desk, being carried out. */
  readonly runningPlanId: string
  /** A hosting that has a standby, and an operation of another that has. */
  readonly movableId: string
  readonly operationId: string
  /** Of a hosting, one that is over, and a plan of them. */
  readonly drillId: string
  readonly reportedId: string
  readonly drillPlanId: string
  readonly enrolmentId: string
  /** Unused, for the datacenter. */
  readonly joinToken: string
}

export const classes = { availability: 2, integrity: 2, confidentiality: 2 }
export const security = { classes, evidence: [{ kind: 'iso27001', validUntil: '2099-01-01T00:00:00Z' }] }
export const period = { start: '2026-01-01T00:00:00Z', end: '2098-01-01T00:00:00Z' }

export const signed = signedReport()

/** An address for documentation (RFC 5737), where nobody is. */
export const fence = { url: 'https://192.0.2.7/fence', token: 'a-token-of-the-fence' }

/** Of an agent that has yet to join. */
export const csr = await createRequest(createKey(), 'agent')

export const demand = ({ systemId }: World) => ({
  systemId,
  components: [{ name: 'web', replicas: 1, requests: { cpu: '100m', memory: '64Mi' }, onePerNode: true }],
  volumes: [{ name: 'files', storageClass: 'gedeeld', size: '1Gi', accessMode: 'ReadWriteMany', count: 1 }],
  constraints: {
    regions: ['utrecht'],
    evidence: ['iso27001'],
    maxDistance: { from: { latitude: 52, longitude: 5 }, km: 100 },
    maxPriceCentsPerMonth: 1_000_000,
  },
  fallback: { mode: 'cold', minDistanceKm: 1, differ: ['site'] },
  period,
})

/** Makes one of each. The hosting waits in the queue, for no scheduler runs. */
export async function makeWorld(api: TestApi): Promise<World> {
  const datacenterId = await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: { latitude: 52.16, longitude: 5.39 } })
  const made = async (path: string, body: object) => (await api.call('consumer', 'POST', path, { body })).body.id
  await api.call('provider', 'PUT', `datacenters/${datacenterId}/fence`, { body: fence })
  const systemId = await made('systems', { slug: 'zaak', name: 'Open Zaak', classes })
  const { token: joinToken } = (
    await api.call('provider', 'POST', `datacenters/${datacenterId}/join-tokens`, { body: {} })
  ).body
  const enrolmentId = await waitingEnrolment(api)
  const awaitedId = await awaitedDatacenter(api)
  const agents = { joinToken, enrolmentId }
  const world = {
    partyId: api.parties.consumer,
    datacenterId,
    awaitedId,
    systemId,
    quoteId: '',
    hostingId: '',
    planId: '',
    runningPlanId: '',
    movableId: '',
    operationId: '',
    drillId: '',
    reportedId: '',
    drillPlanId: '',
    ...agents,
  }
  const quoteId = await made('quotes', demand(world))
  const hostingId = await made('hostings', { name: 'zaak-prod', ...demand(world) })
  const movableId = await placedHosting(api, world, 'verplaatsbaar')
  await claimPlaces(api, movableId)
  const goal = { kind: 'drain', datacenterIds: [datacenterId] }
  const planId = (await api.call('provider', 'POST', 'plans', { body: { goal } })).body.id
  const spread = { body: { goal: { kind: 'rebalance' }, maxMoves: 0 } }
  const runningPlanId = (await api.call('loket', 'POST', 'plans', spread)).body.id
  await api.call('loket', 'POST', `plans/${runningPlanId}/applications`, { body: { reason: 'evenwicht' } })
  const planned = await placedHosting(api, world, 'gepland')
  const operationId = await made(`hostings/${planned}/failovers`, { reason: 'onderhoud' })
  const drills = await makeDrills(api, { ...world, movableId }, planned)
  return { ...world, quoteId, hostingId, planId, runningPlanId, movableId, operationId, ...drills }
}

/** One under way, one that is over with its report, as nobody leads here; and when they are held. */
async function makeDrills(api: TestApi, world: World, hostingId: string) {
  const made = async (path: string, body: object) => (await api.call('consumer', 'POST', path, { body })).body.id
  const scope = { hostingId: await placedHosting(api, world, 'getest') }
  const reportedId = await made('drills', { ...scope, kind: 'plan' })
  await api.kit.database.query(`update drills set state = 'passed', report = $2, sha256 = $3 where id = $1`, [
    reportedId,
    signed.text,
    signed.sha256,
  ])
  const drillId = await made('drills', { hostingId, kind: 'plan' })
  const drillPlanId = await made('drill-plans', { ...scope, kind: 'plan', cron: '30 6 * * 1', windowMinutes: 30 })
  return { drillId, reportedId, drillPlanId }
}

/** As the scheduler and the desk leave it: placed at two sites, and held at the first. */
async function placedHosting(api: TestApi, world: World, name: string): Promise<string> {
  const { database } = api.kit
  const id = (await api.call('consumer', 'POST', 'hostings', { body: { name, ...demand(world) } })).body.id
  await database.query(`update hostings set scheduling = 'placed' where id = $1`, [id])
  const [other] = await database.query<{ id: string }>(`select id from datacenters where slug = 'amersfoort'`)
  for (const [role, datacenterId] of Object.entries({ primary: world.datacenterId, standby: other?.id }))
    await database.query(
      `insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
       values ($1, $2, $3, $4, 1, '[]', 'present', now())`,
      [newId('plc', api.kit.clock, api.kit.random), id, datacenterId, role],
    )
  await grantAll(database)
  return id
}

/** What it has at its sites counts as taken from now on. */
async function claimPlaces(api: TestApi, hostingId: string): Promise<void> {
  const { database } = api.kit
  await database.query(
    `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
     select 'clm_' || substr(p.id, 5), p.id, p.hosting_id, p.datacenter_id, p.role, '{}',
       '{"cpu": 100, "memory": 67108864, "pods": 1}',
       h.starts_at, h.ends_at, now() from placements p join hostings h on h.id = p.hosting_id where h.id = $1`,
    [hostingId],
  )
  await database.query(
    'update datacenters set generation = generation + 1 where id in (select datacenter_id from placements where hosting_id = $1)',
    [hostingId],
  )
}

/** Of which a restored store has not heard what it runs. */
async function awaitedDatacenter({ activeDatacenter, kit: { database } }: TestApi): Promise<string> {
  const id = await activeDatacenter({ slug: 'urk', position: { latitude: 52.66, longitude: 5.6 } })
  await database.query(`update datacenters set contact = 'unreachable' where id = $1`, [id])
  await database.query('update fallback_state set in_doubt = 1, awaited = array[$1]', [id])
  return id
}

/** Of the agent of another datacenter, whose certificate has run out. Returns its id. */
async function waitingEnrolment(api: TestApi): Promise<string> {
  const datacenterId = await api.activeDatacenter({ slug: 'lelystad', position: { latitude: 52.5, longitude: 5.47 } })
  const { token } = (await api.call('provider', 'POST', `datacenters/${datacenterId}/join-tokens`, { body: {} })).body
  const body = { csr: await createRequest(createKey(), 'agent'), token }
  await api.call('nobody', 'POST', 'agents/certificates', { body })
  await api.kit.database.query(`update agents set not_after = now() - interval '1 day' where datacenter_id = $1`, [
    datacenterId,
  ])
  return (await api.call('nobody', 'POST', 'agents/certificates', { body })).body.enrolmentId
}
