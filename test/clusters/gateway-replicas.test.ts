/** The gateway in replicas, each a process: an agent dials them as it does the broker, and one that is killed is not missed. */
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Balancer, startBalancer } from '../support/balancer.ts'
import { testDatabase } from '../support/database.ts'
import { type Program, startProgram } from '../support/programs.ts'
import { createAgentProcess } from './agent-process.ts'
import { joinParties } from './desk.ts'
import { call, hostAt, joinDatacenter, type Response, watch } from './gateway-stage.ts'
import { freePorts } from './processes.ts'
import { serverIdentity } from './server-identity.ts'
import { missingForClusters, startClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 90_000
const maps = '/api/v1/namespaces/open-zaak/configmaps'

interface Setting {
  /** Of the broker and of each gateway. */
  readonly env: Readonly<Record<string, string>>
  readonly balancer: Balancer
  readonly bootstrapToken: string
  readonly ca: string
  /** Certificate and key of the gateway, for its environment. */
  readonly identity: Readonly<Record<string, string>>
}

async function setting(t: Test): Promise<Setting> {
  const { url } = await testDatabase(t)
  const balancer = await startBalancer()
  t.teardown(balancer.close)
  const { ca, files } = await serverIdentity(t, '127.0.0.1')
  return {
    env: {
      DATABASE_URL: url,
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      TUNNEL_ADDRESS: `127.0.0.1:${balancer.port}`,
      PORT: '0',
      MANAGEMENT_PORT: '0',
      GATEWAY_PORT: '0',
    },
    balancer,
    bootstrapToken: `gc_test_${randomBytes(16).toString('hex')}`,
    ca,
    identity: { GATEWAY_CERTIFICATE_FILE: files.cert, GATEWAY_KEY_FILE: files.key },
  }
}

const readiness = async ({ ready }: Program) => {
  const response = await fetch(`${ready['management']}/readyz`)
  return { status: response.status, body: await response.json() }
}

const isReady = (gateway: Program) =>
  until('a gateway to be ready', patience, async () => (await readiness(gateway)).status === 200 || undefined)

t.test('two gateways beside a broker', { skip }, async (t) => {
  const node = { name: 'a', cpu: '8', memory: '32Gi', pods: 60 }
  const { amersfoort: cluster } = await startClusters(t, [
    { name: 'amersfoort', nodes: [node], users: [{ name: 'broker' }] },
  ])
  const { env, balancer, bootstrapToken, ca, identity } = await setting(t)
  const [forBroker = 0, forOne = 0, forOther = 0] = await freePorts(3)
  const startBroker = () =>
    startProgram(t, 'services/broker/main.ts', {
      ...env,
      BOOTSTRAP_TOKEN: bootstrapToken,
      LOKET_OIN: '00000099000000000001',
      TUNNEL_PORT: String(forBroker),
    })
  const broker = await startBroker()
  const { api = '' } = broker.ready
  const startGateway = (port: number) =>
    startProgram(t, 'services/gateway-main.ts', { ...env, ...identity, BROKER_URL: api, TUNNEL_PORT: String(port) })

  const parties = await joinParties(api, bootstrapToken)
  balancer.lead([forBroker])
  const agent = createAgentProcess(t, cluster, api)
  await joinDatacenter(parties, cluster, 'amersfoort', async (_site, joinToken) => agent.start(joinToken))
  await hostAt(parties.consumer, 'open-zaak', 'amersfoort')

  const one = await startGateway(forOne)
  const other = await startGateway(forOther)
  for (const gateway of [one, other]) {
    t.match(await readiness(gateway), { status: 503, body: { checks: { store: 'ok', agents: 'are awaited' } } })
    t.equal((await fetch(`${gateway.ready['management']}/livez`)).status, 200)
  }
  balancer.lead([forBroker, forOne, forOther])
  for (const gateway of [one, other]) await isReady(gateway)

  const ask = (gateway: Program, method: string, path: string, body?: object) =>
    call({ url: gateway.ready['gateway'] ?? '', ca, token: parties.consumer.token }, method, path, { body })
  const write = (gateway: Program, name: string) =>
    ask(gateway, 'POST', maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
  const named = async (gateway: Program) =>
    (await ask(gateway, 'GET', maps)).body.items.map((each: any) => each.metadata.name)
  t.equal((await write(one, 'by-one')).status, 201, 'the first request after it said that it was ready')
  t.equal((await write(other, 'by-other')).status, 201)
  for (const gateway of [one, other]) t.match((await named(gateway)).sort(), ['by-one', 'by-other', 'kube-root-ca.crt'])
  await changesHands(t, (at, path) => ask(at === 'one' ? one : other, 'GET', path))
  const metrics = await (await fetch(`${one.ready['management']}/metrics`)).text()
  t.match(metrics, /^gemeentecloud_gateway_\w+/m, 'its metrics are where Prometheus looks')

  const watching = watch({ url: other.ready['gateway'] ?? '', ca, token: parties.consumer.token }, `${maps}?watch=true`)
  t.teardown(watching.stop)
  const seen = (name: string) =>
    until(`${name} to be seen`, patience, () =>
      watching.events.some(({ object }) => object.metadata.name === name) ? true : undefined,
    )
  await seen('by-other')
  await one.end('SIGKILL')
  t.equal((await write(other, 'one-is-gone')).status, 201, 'the other serves on')
  await seen('one-is-gone')

  const again = await startGateway(forOne)
  await isReady(again)
  t.equal((await write(again, 'one-is-back')).status, 201, 'the agent has come to the new one too')
  await seen('one-is-back')

  await broker.end('SIGKILL')
  for (const gateway of [again, other])
    t.equal((await ask(gateway, 'GET', maps)).status, 200, 'without any broker what stands is served')

  t.equal(await again.end('SIGTERM'), 0, 'told to stop, it ends without a complaint')
  t.notMatch(again.output(), /"level":[56]0/)
  t.equal((await write(other, 'last')).status, 201)
  await seen('last')
  await agent.end('SIGTERM')
})

/** What one replica gave to go on from is good at the other. */
async function changesHands(t: Test, get: (at: 'one' | 'other', path: string) => Promise<Response>): Promise<void> {
  const page = (await get('one', `${maps}?limit=1`)).body
  const rest = (await get('other', `${maps}?continue=${encodeURIComponent(page.metadata.continue)}`)).body
  t.same(
    [...page.items, ...rest.items].map(({ metadata }: any) => metadata.name).sort(),
    ['by-one', 'by-other', 'kube-root-ca.crt'],
    'a list is gone on with',
  )
  const kinds = [maps, '/api/v1/namespaces', '/apis/hosting.gemeentecloud.nl/v1/hostingrequests']
  for (const path of kinds) {
    // Of hosting requests a replica knows what has happened since it first read the party, and a little more is asked for.
    const text = await until(`a watch of ${path} to be gone on with`, patience, async () => {
      await get('other', path)
      const { resourceVersion } = (await get('one', path)).body.metadata
      const watched = await get('other', `${path}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`)
      return watched.status === 200 ? watched.text : undefined
    })
    t.notMatch(text, /"type":"ERROR"/, `a watch of ${path} is gone on with`)
  }
}
