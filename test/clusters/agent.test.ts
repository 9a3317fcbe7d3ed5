/** A datacenter on a real cluster that joins by an agent: it dials out, and silence undoes nothing. */
import t from 'tap'
import { createAgentProcess } from './agent-process.ts'
import { type Desk, startDesk } from './desk.ts'
import { grantRights } from './owner.ts'
import { missingForClusters, startClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 120_000
const space = '/api/v1/namespaces/open-zaak'

async function registered({ provider }: Desk): Promise<string> {
  const { id } = await provider.post('datacenters', {
    slug: 'amersfoort',
    name: 'Amersfoort',
    region: 'utrecht',
    position: { latitude: 52.16, longitude: 5.39 },
    failureDomains: [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
  })
  await provider.post(`datacenters/${id}/offers`, {
    amounts: { cpu: '8', memory: '24Gi', pods: '60' },
    period: { start: '2026-01-01T00:00:00Z', end: null },
    quality: 'guaranteed',
    tariff: { cpu: 10_000_000, memory: 2_000_000 },
  })
  return id
}

t.test('joined by an agent: placed, kept through every silence, and taken away on order', { skip }, async (t) => {
  const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', pods: 60, zone: `zone-${name}` })
  const spec = { name: 'amersfoort', nodes: [node('a'), node('b')], storageClasses: [], users: [{ name: 'broker' }] }
  const { amersfoort: cluster } = await startClusters(t, [spec as typeof spec & { name: 'amersfoort' }])
  await grantRights(cluster, 'broker')
  const desk = await startDesk(t)
  const agent = createAgentProcess(t, cluster, desk.url)
  const id = await registered(desk)
  const datacenter = async () => (await desk.provider.get(`datacenters/${id}`)).body
  const is = (what: string, check: (body: any) => boolean) =>
    until(`the datacenter to be ${what}`, patience, async () => {
      const body = await datacenter()
      return check(body) ? body : undefined
    }).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await datacenter())} ${agent.said.join('').slice(-2_000)}`)
    })

  const { token } = await desk.provider.post(`datacenters/${id}/join-tokens`, {})
  agent.start(token)
  const active = await is('active', ({ state, contact }) => state === 'active' && contact === 'reachable')
  t.match(active.connection, { kind: 'agent', agent: { version: /^\d/, clockSkewSeconds: Number } })
  t.ok(Math.abs(active.connection.agent.clockSkewSeconds) < 5, 'of one machine')

  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await desk.consumer.post('systems', { slug: 'zaken', name: 'Zaken', classes })
  const hosting = await desk.consumer.post('hostings', {
    name: 'open-zaak',
    systemId: system.id,
    components: [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }],
    fallback: { mode: 'none' },
  })
  const stateOf = async () => (await desk.consumer.get(`hostings/${hosting.id}`)).body.state
  await until('it to run', patience, async () => (await stateOf()) === 'running' || undefined)
  const { uid } = (await cluster.read<any>(space)).metadata
  const stands = async (after: string) => t.equal((await cluster.read<any>(space))?.metadata.uid, uid, after)

  await agent.end('SIGKILL')
  await is('unreachable', ({ contact }) => contact === 'unreachable')
  await stands('after its agent was killed')
  agent.start()
  await is('reachable again', ({ contact }) => contact === 'reachable')
  await stands('after its agent came back, without a token')

  await desk.restart()
  await is('reachable after the broker was', ({ contact }) => contact === 'reachable')
  await until('it to run', patience, async () => (await stateOf()) === 'running' || undefined)
  await stands('after the broker was started again')

  const second = await desk.provider.post(`datacenters/${id}/join-tokens`, {})
  const other = createAgentProcess(t, cluster, desk.url)
  other.start(second.token)
  await until('the second to be refused', patience, async () => /409/.test(other.said.join('')) || undefined)
  t.equal((await datacenter()).contact, 'reachable', 'the first is undisturbed')
  await other.end('SIGTERM')

  await desk.consumer.remove(`hostings/${hosting.id}`)
  await until('it to end', patience, async () => (await stateOf()) === 'ended' || undefined)
  t.equal(await cluster.read(space), undefined, 'gone, on order')
  await agent.end('SIGTERM')
})
