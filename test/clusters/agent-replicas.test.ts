/** Two replicas of an agent, of which a lease makes one active: when that one goes, the other takes over. */
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { ofKind, startHelm } from '../deploy/helm.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type AgentProcess, createAgentProcess } from './agent-process.ts'
import type { Cluster } from './cluster.ts'
import { setGatewayStage } from './gateway-stage.ts'
import { freePorts } from './processes.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 120_000
const namespace = 'gemeentecloud-agent'
const release = 'gemeentecloud-agent'
const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${release}`

/** Its own namespace, and there what the chart lets it do. */
async function grantOwn(cluster: Cluster, folder: string): Promise<void> {
  const helm = await startHelm(folder, join(root, 'charts/gemeentecloud-agent'))
  const values = { image: { repository: 'registry.test/agent' }, desk: { url: 'https://desk.test' } }
  const [role] = ofKind(await helm.template(values, release), 'Role')
  const name = 'own'
  const rbac = 'rbac.authorization.k8s.io'
  await cluster.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules: role.rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'broker' }],
    },
  )
}

t.test('two replicas of an agent', { skip }, async (t) => {
  const folder = temporaryFolder('agent-replicas')
  t.teardown(folder.remove)
  const replicas = new Map<string, AgentProcess>()
  const ports = new Map<string, number>()
  const stage = await setGatewayStage(t, 'agent', {
    sites: ['amersfoort'],
    agent: async (_site, joinToken, cluster, { url }) => {
      await grantOwn(cluster, folder.path)
      const [one = 0, other = 0] = await freePorts(2)
      for (const [name, port] of [
        ['agent-1', one],
        ['agent-2', other],
      ] as const) {
        const env = { POD_NAMESPACE: namespace, POD_NAME: name, RELEASE_NAME: release, MANAGEMENT_PORT: String(port) }
        const replica = createAgentProcess(t, cluster, url, env)
        replicas.set(name, replica)
        ports.set(name, port)
        replica.start(joinToken)
      }
    },
  })
  const one = await stage.tenant(stage.consumer)
  await stage.host(one, 'open-zaak', 'amersfoort')
  const cluster = stage.at('amersfoort')
  const holder = async () => (await cluster.read<any>(lease))?.spec.holderIdentity as string
  const isReady = (name: string) =>
    until(`${name} to be ready`, patience, async () => {
      const answer = await fetch(`http://127.0.0.1:${ports.get(name)}/readyz`)
      return answer.status === 200 || undefined
    })
  const passesTo = (name: string) =>
    until(`${name} to be active`, patience, async () => ((await holder()) === name ? true : undefined))
  const maps = '/api/v1/namespaces/open-zaak/configmaps'
  const serves = (after: string) =>
    until(`the datacenter to be served ${after}`, patience, async () =>
      (await one.call('GET', maps)).status === 200 ? true : undefined,
    )

  const first = await holder()
  const second = first === 'agent-1' ? 'agent-2' : 'agent-1'
  t.ok(replicas.has(first), `${first} is active`)
  for (const name of replicas.keys()) await isReady(name)
  await serves('by the first')
  const secrets = await cluster.read<any>(`/api/v1/namespaces/${namespace}/secrets`)
  t.equal(secrets.items.length, 1, 'one key for both')

  await replicas.get(first)?.end('SIGKILL')
  await passesTo(second)
  await serves('by the second')
  replicas.get(first)?.start()
  await isReady(first)
  t.equal(await holder(), second, 'the one that came back stands by')

  const watching = one.watch(`${maps}?watch=true`)
  t.teardown(watching.stop)
  await until('the watch to have begun', patience, () => watching.events.length > 0 || undefined)
  const stood = (await cluster.read<any>(lease)).spec.renewTime
  const gone = replicas.get(second)?.end('SIGTERM')
  await passesTo(first)
  const waitedMs = Date.parse((await cluster.read<any>(lease)).spec.renewTime) - Date.parse(stood)
  t.ok(waitedMs < 15_000, `${waitedMs} ms: sooner than the lease would have run out, because it was given up`)
  await serves('by the first again')
  await gone
  t.notMatch(replicas.get(second)?.said.join(''), /the lease was not given up/)
  t.match(await cluster.read<any>(lease), { spec: { holderIdentity: first } })
})
