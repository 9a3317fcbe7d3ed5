/** The way of one hosting request, as docs/architecture.md tells it: its files are there, and one request id goes all of it. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import pino from 'pino'
import t from 'tap'
import type { Datacenter, Event, Hosting, Party, System, Token } from '../../schemas/index.ts'
import { root } from '../../scripts/sources.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { createApiClient } from '../../services/shared/api-client.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { until } from '../clusters/wait.ts'
import { testDatabase } from '../support/database.ts'
import { registrationOf } from '../support/registration.ts'

t.setTimeout(120_000)

t.test('the document names seven files, each of which leads to the next', async (t) => {
  const text = readFileSync(`${root}docs/architecture.md`, 'utf8')
  const way = [...text.matchAll(/^\| (\d) \| `([^`]+)` \|/gm)].map(([, step, file = '']) => ({ step, file }))
  t.same(
    way.map(({ step }) => step),
    ['1', '2', '3', '4', '5', '6', '7'],
  )
  for (const { file } of way) t.ok(existsSync(root + file), file)
  const leads = (step: number, to: string) =>
    t.ok(readFileSync(root + way[step - 1]?.file, 'utf8').includes(`from '${to}'`), `step ${step} leads to ${to}`)
  leads(1, './service.ts')
  leads(2, './store.ts')
  leads(4, '../../placement/index.ts')
  leads(4, './store.ts')
  leads(7, './placement.ts')
})

t.test('one request id from the answer to what stands in two clusters, and another to its end', async (t) => {
  const kit = { clock: systemClock, random: systemRandom }
  const sandbox = await startSandbox({ ...kit, host: '127.0.0.1', port: 0 })
  t.teardown(() => sandbox.stop())
  const full = { ...kit, database: await testDatabase(t), log: pino({ level: 'silent' }) }
  const token = `gc_test_${randomUUID()}`
  await bootstrapDesk(full, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
  const listening = { host: '127.0.0.1', port: 0, managementPort: 0 }
  const policy = { allowedAddresses: ['127.0.0.0/8'], sandboxClusters: true }
  const broker = await startBroker(full, { ...listening, ...policy, encryptionKey: systemRandom.bytes(32) })
  t.teardown(() => broker.stop())
  const loket = createApiClient(broker.url, token)
  const operator = { name: 'Parkstad', oin: '00000099000000000048', roles: ['provider'] }
  const { id: operatorId } = await loket.send<Party>('POST', '/parties', operator, 'test')
  for (const slug of ['parkstad', 'drechtsteden']) await register(slug, operatorId)

  const programme = { name: 'Dimpact', oin: '00000099000000009001', roles: ['consumer'] }
  const consumer = await loket.send<Party>('POST', '/parties', programme, 'test')
  const grant = { subject: 'test', role: 'consumer' }
  const { token: mine } = await loket.send<Token>('POST', `/parties/${consumer.id}/tokens`, grant, 'test')
  const system = { slug: 'zaken', name: 'Zaken', classes: { availability: 2, integrity: 2, confidentiality: 2 } }
  const { id: systemId } = await createApiClient(broker.url, mine).send<System>('POST', '/systems', system, 'test')
  const components = [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '1Gi' } }]
  const asked = await call('POST', '/hostings', { name: 'zaken', systemId, components, fallback: { mode: 'cold' } })
  const { id } = (await asked.json()) as Hosting
  await until('it to run with its fallback', 60_000, async () => {
    const { state, fallbackStatus } = await loket.get<Hosting>(`/hostings/${id}`)
    return (state === 'running' && fallbackStatus === 'ready') || undefined
  })
  const ending = await call('DELETE', `/hostings/${id}`)
  const [first, second] = [asked, ending].map(({ headers }) => headers.get('x-request-id'))
  t.not(first, second)
  // Events are told when no older transaction is under way, of other tests' on the same server too.
  const told = await until('the end to be told', 60_000, async () => {
    const all = await events()
    return all.some(({ type }) => type === 'hosting.ended') ? all : undefined
  })
  const end = told.findIndex(({ type }) => type === 'hosting.ending')
  const [before, after] = [told.slice(0, end), told.slice(end)]
  t.same([...new Set(before.map(({ requestId }) => requestId))], [first])
  const types = before.map(({ type }) => type)
  for (const type of ['hosting.requested', 'hosting.placed', 'placement.observed']) t.ok(types.includes(type), type)
  t.same([...new Set(after.map(({ requestId }) => requestId))], [second])
  t.equal(after.filter(({ type }) => type === 'placement.released').length, 2)

  async function events(): Promise<Event[]> {
    return (await loket.get<{ items: Event[] }>(`/events?subject=${id}&limit=100`)).items
  }

  function call(method: string, path: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${mine}`, 'idempotency-key': randomUUID() }
    const json = { 'content-type': 'application/json' }
    const sent = body === undefined ? { headers } : { headers: { ...headers, ...json }, body: JSON.stringify(body) }
    return fetch(`${broker.url}/api/v1${path}`, { method, ...sent })
  }

  async function register(slug: string, operatorId: string): Promise<void> {
    const cluster = sandbox.addCluster(slug, { nodes: [{ name: 'a', cpu: '8', memory: '32Gi' }] })
    const made = await loket.send<Datacenter>(
      'POST',
      '/datacenters',
      registrationOf(slug, operatorId, cluster.kubeconfig()),
      slug,
    )
    await loket.send('POST', `/datacenters/${made.id}/offers`, offer, slug)
    await until(`${slug} to be active`, 60_000, async () => {
      const { state } = await loket.get<Datacenter>(`/datacenters/${made.id}`)
      return state === 'active' || undefined
    })
  }
})

const offer = {
  amounts: { cpu: '8', memory: '32Gi', pods: '100' },
  period: { start: '2026-01-01T00:00:00Z', end: null },
  quality: 'guaranteed',
  tariff: { cpu: 9_000_000, memory: 2_200_000 },
}
