/** An agent on a real cluster stops and starts what runs in a hosting, and nothing runs without a lease, whatever befalls it. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { root } from '../../scripts/sources.ts'
import { ofKind, startHelm } from '../deploy/helm.ts'
import { deployment, podSpec } from '../support/conformance/manifests.ts'
import { temporaryFolder } from '../support/folder.ts'
import { epoch, type ScriptedDesk } from '../support/scripted-desk.ts'
import { createAgentProcess } from './agent-process.ts'
import type { Cluster } from './cluster.ts'
import { grantFallbackRights, grantRights } from './owner.ts'
import { missingForClusters, startClusters, until } from './start.ts'
import { startTunnelDesk } from './tunnel-desk.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 90_000
const own = 'gemeentecloud-agent'
/** Five renewals in a lease would be more than a busy machine keeps up with; three are. */
const profile = { leaseMs: 6_000, renewMs: 2_000, stopMs: 20_000, drift: 0.01 }

/** What the chart grants the agent, in its cluster and in its own namespace. */
async function grantAgent(cluster: Cluster, folder: string): Promise<void> {
  await grantRights(cluster, 'broker')
  await grantFallbackRights(cluster, 'broker')
  const helm = await startHelm(folder, join(root, 'charts/gemeentecloud-agent'))
  const values = { image: { repository: 'registry.test/agent' }, desk: { url: 'https://desk.test' } }
  const [role] = ofKind(await helm.template(values, own), 'Role')
  const apiGroup = 'rbac.authorization.k8s.io'
  const apiVersion = `${apiGroup}/v1`
  const subjects = [{ apiGroup, kind: 'User', name: 'broker' }]
  await cluster.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } },
    { apiVersion, kind: 'Role', metadata: { name: own, namespace: own }, rules: role.rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: own, namespace: own },
      roleRef: { apiGroup, kind: 'Role', name: own },
      subjects,
    },
  )
}

const template = (name: string) => ({
  metadata: { labels: { app: name } },
  spec: podSpec({ cpu: '10m', memory: '8Mi' }),
})
const workload = (kind: string, name: string, more: object) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...more },
})
const jobSpec = { ...template('nightly').spec, restartPolicy: 'Never' }

/** A hosting with everything that makes pods, seven of them at any time. */
async function settle(cluster: Cluster, hosting: string, namespace: string): Promise<void> {
  const labels = { 'gemeentecloud.nl/hosting': hosting, 'gemeentecloud.nl/role': 'primary' }
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } })
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`
  await until('its service account', patience, () => cluster.read(account))
  const objects = [
    deployment('web', 3),
    workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' }),
    workload('DaemonSet', 'log', {}),
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: podSpec({ cpu: '10m', memory: '8Mi' }) },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec: jobSpec } } } },
    },
  ]
  await cluster.apply(...objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })))
}

interface Stage {
  readonly cluster: Cluster
  readonly pods: () => Promise<number>
  readonly spec: (kind: string, name: string) => Promise<any>
  readonly runs: (epoch: string, pods: number) => Promise<unknown>
  readonly rests: () => Promise<unknown>
}

function look(cluster: Cluster, namespace: string): Stage {
  const pods = async () => {
    const list = await cluster.read<{ items: any[] }>(`/api/v1/namespaces/${namespace}/pods`)
    return (list?.items ?? []).filter(({ status }) => !['Succeeded', 'Failed'].includes(status?.phase)).length
  }
  const spec = async (kind: string, name: string) => {
    const group = kind === 'cronjobs' ? 'batch' : 'apps'
    return (await cluster.read<any>(`/apis/${group}/v1/namespaces/${namespace}/${kind}/${name}`))?.spec
  }
  const runs = (epoch: string, count: number) =>
    until(`${count} pods by ${epoch}`, patience, async () => {
      const space = await cluster.read<any>(`/api/v1/namespaces/${namespace}`)
      const isBy = space?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === epoch
      return (isBy && (await pods()) === count) || undefined
    })
  const rests = () => until('no pod to be left', patience, async () => (await pods()) === 0 || undefined)
  return { cluster, pods, spec, runs, rests }
}

const renewals = ({ said }: ScriptedDesk) => said.filter(({ kind }) => kind === 'renew').length
const someRenewals = async (desk: ScriptedDesk, count: number) => {
  const before = renewals(desk)
  await until(`${count} renewals`, patience, () => renewals(desk) > before + count || undefined)
}
const stopped = (desk: ScriptedDesk, counter: number) =>
  until('it to be said to have stopped', patience, () => {
    desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(counter) })
    return desk.said.some((message) => message.kind === 'stopped' && message.epoch.counter === counter) || undefined
  })

t.test('a site on a real cluster', { skip }, async (t: Test) => {
  const folder = temporaryFolder('fallback-site')
  t.teardown(folder.remove)
  const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', pods: 60, zone: name })
  const { breda: cluster } = await startClusters(t, [
    { name: 'breda', nodes: [node('a')], storageClasses: [], users: [{ name: 'broker' }] },
  ])
  await grantAgent(cluster, folder.path)
  const { url, meet } = await startTunnelDesk(t)
  const env = { POD_NAMESPACE: own, POD_NAME: 'agent-1', RELEASE_NAME: own }
  const agent = createAgentProcess(t, cluster, url, env)
  const other = createAgentProcess(t, cluster, url, { ...env, POD_NAME: 'agent-2' })
  await settle(cluster, 'h_1', 'zaken')
  const { pods, spec, runs, rests } = look(cluster, 'zaken')
  const record = async () =>
    (await cluster.read<any>(`/api/v1/namespaces/${own}/secrets/${own}-fallback`))?.metadata.resourceVersion
  agent.start('a-token-of-sixteen')
  let desk = await meet({ profile })

  await t.test('stops all that makes pods on order, and gives it back with the next epoch', async (t) => {
    desk.grant('h_1', 1)
    await runs('1.1', 7)
    desk.granted.clear()
    await stopped(desk, 1)
    t.equal(await pods(), 0, 'when it says so')
    t.match(await spec('deployments', 'web'), { replicas: 0 })
    t.match(await spec('statefulsets', 'db'), { replicas: 0 })
    t.match(await spec('cronjobs', 'nightly'), { suspend: true })
    await t.rejects(cluster.kubectl('-n', 'zaken', 'run', 'late', '--image=none'), /gemeentecloud-gate/)

    desk.grant('h_1', 2)
    await runs('1.2', 6)
    t.match(await spec('deployments', 'web'), { replicas: 3 })
    t.match(await spec('statefulsets', 'db'), { replicas: 2 })
    // It makes no pod that could have been counted, so it may be given back after those were.
    const resumed = async () => (await spec('cronjobs', 'nightly')).suspend === false || undefined
    await until('the job by schedule to be resumed', patience, resumed)
  })

  await t.test('killed and back, it goes on with the same pods by a lease that is renewed', async (t) => {
    const uids = async () => {
      const list = await cluster.read<{ items: any[] }>('/api/v1/namespaces/zaken/pods')
      return list?.items.map(({ metadata }) => metadata.uid).sort()
    }
    const before = await uids()
    const { granted } = desk
    await agent.end('SIGKILL')
    agent.start()
    desk = await meet({ profile, granted })
    await someRenewals(desk, 12)
    t.same(await uids(), before)
  })

  await t.test('stopped by a signal for longer than a lease, it runs nothing without a fresh one', async (t) => {
    desk.answers = false
    agent.signal('SIGSTOP')
    const enough = performance.now() + 1.5 * profile.leaseMs
    await until('more than a lease to pass', patience, () => performance.now() > enough || undefined)
    t.equal(await pods(), 6, 'level 1 stops nothing while it is stopped itself')
    agent.signal('SIGCONT')
    const woken = performance.now()
    await rests()
    t.ok(performance.now() - woken < profile.stopMs, `${Math.round(performance.now() - woken)} ms, within S`)
    desk = await meet({ profile, granted: desk.granted })
    await runs('1.2', 6)
  })

  await t.test('another replica takes over with the record, and the one that comes back stands by', async (t) => {
    other.start()
    const written = await record()
    const { granted } = desk
    await agent.end('SIGKILL')
    desk = await meet({ profile, granted })
    await someRenewals(desk, 4)
    t.not(await record(), written, 'a life of its own')
    const holds = desk.said.flatMap((message) => (message.kind === 'renew' ? message.holds : []))
    t.match(holds.at(-1), { hosting: 'h_1', epoch: epoch(2), active: true })
    t.equal(await pods(), 6)
    agent.start()
    await someRenewals(desk, 4)
    t.ok(desk.isOpen(), 'it is not disturbed')
    desk.granted.clear()
    await stopped(desk, 2)
    t.equal(await pods(), 0)
  })
})
