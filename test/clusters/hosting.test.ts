/** One hosting from request to end on real clusters: what stands there, what the API server refuses, what is repaired. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import t, { type Test } from 'tap'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { neededRights } from '../../services/broker/clusters/checks.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from '../support/database.ts'
import { type Cluster, missingForClusters, startClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

type Answer = { status: number; body: any }
type Call = (
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

async function broker(t: Test) {
  const database = await testDatabase(t)
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
  const kit = { database, clock: systemClock, random: systemRandom, log }
  const encryptionKey = systemRandom.bytes(32)
  const options = { host: '127.0.0.1', port: 0, managementPort: 0, encryptionKey, allowedAddresses: ['127.0.0.0/8'] }
  const running = await startBroker(kit, options)
  t.teardown(() => running.stop())
  const desk = `gc_test_${randomUUID()}`
  await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, desk)
  const call: Call = async (token, method, path, body, headers) => {
    const response = await fetch(`${running.url}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const party = async (role: string, oin: string) => {
    const roles = role === 'provider' ? ['provider', 'consumer'] : [role]
    const { body } = await call(desk, 'POST', 'parties', { name: `Partij ${role}`, oin, roles })
    const issued = await call(desk, 'POST', `parties/${body.id}/tokens`, { subject: 'test', role })
    return { id: body.id as string, token: issued.body.token as string }
  }
  const metrics = async () => (await fetch(`${running.managementUrl}/metrics`)).text()
  return {
    call,
    metrics,
    provider: await party('provider', '00000099000000000101'),
    consumer: await party('consumer', '00000099000000000102'),
  }
}

const positions = { amersfoort: [52.16, 5.39], breda: [51.59, 4.78], zwolle: [52.52, 6.08] } as const
type Name = keyof typeof positions

async function register(call: Call, token: string, slug: Name, kubeconfig: string): Promise<string> {
  const [latitude, longitude] = positions[slug]
  const { status, body } = await call(token, 'POST', 'datacenters', {
    slug,
    name: slug,
    region: slug,
    position: { latitude, longitude },
    failureDomains: [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
    connection: { kind: 'push', kubeconfig },
  })
  if (status !== 201) throw new Error(JSON.stringify(body))
  await call(token, 'POST', `datacenters/${body.id}/offers`, {
    amounts: { cpu: '8', memory: '24Gi', pods: '60', 'storage/snel': '1Ti' },
    period: { start: '2026-01-01T00:00:00Z', end: null },
    quality: 'guaranteed',
    tariff: { cpu: 10_000_000, memory: 2_000_000 },
  })
  return body.id
}

const pod = (name: string, namespace: string, cpu: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'web',
        image: 'none',
        resources: { requests: { cpu, memory: '64Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})

/** An account that may do what the checks ask for and nothing else. */
const smallestRights = (user: string) => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'gemeentecloud' },
    rules: neededRights.map(({ group, resource, name, verbs }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs,
      ...(name !== undefined && { resourceNames: [name] }),
    })),
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'gemeentecloud' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'gemeentecloud' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  },
]

t.test('a hosting on three clusters, from request to end', { skip }, async (t) => {
  const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', pods: 60, zone: `zone-${name}` })
  const spec = {
    nodes: [node('a'), node('b'), node('c')],
    storageClasses: [{ name: 'snel' }],
    users: [{ name: 'broker' }],
  }
  const names = Object.keys(positions) as Name[]
  const clusters = await startClusters(
    t,
    names.map((name) => ({ name, ...spec })),
  )
  const { call, metrics, provider, consumer } = await broker(t)
  const at = (name: string) => clusters[name as Name] as Cluster
  const ids: Record<string, string> = {}
  const datacenter = async (name: string) => (await call(provider.token, 'GET', `datacenters/${ids[name]}`)).body
  const exists = async (name: string, path: string) => (await at(name).read(path)) !== undefined

  await t.test('the owner runs things of its own', async () => {
    for (const name of names) {
      await at(name).apply(
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'eigen' } },
        ...smallestRights('broker'),
      )
      await until('service account', 30_000, () => at(name).read('/api/v1/namespaces/eigen/serviceaccounts/default'))
      await at(name).apply(pod('eigen', 'eigen', '1500m'))
      await until('own pod', 30_000, async () => {
        const found = await at(name).read<any>('/api/v1/namespaces/eigen/pods/eigen')
        return found?.status.phase === 'Running' || undefined
      })
    }
  })

  await t.test('an account without rights is told what it lacks', async (t) => {
    await at('zwolle').kubectl('delete', 'clusterrolebinding', 'gemeentecloud')
    ids.zwolle = await register(call, provider.token, 'zwolle', at('zwolle').kubeconfigOf('broker'))
    const seen = await until('a reason', 30_000, async () => {
      const body = await datacenter('zwolle')
      return body.contactReason === null ? undefined : body
    })
    t.match(seen, { state: 'checking', contactReason: /forbidden|cannot get/i })
    await at('zwolle').apply(...smallestRights('broker'))
  })

  await t.test('with exactly the rights that are asked for it becomes active, and is seen as it is', async (t) => {
    for (const name of ['amersfoort', 'breda'] as const) {
      ids[name] = await register(call, provider.token, name, at(name).kubeconfigOf('broker'))
    }
    for (const name of names) {
      await until(`${name} to be active`, 90_000, async () =>
        (await datacenter(name)).state === 'active' ? true : undefined,
      )
      const { body } = await until('inventory', 30_000, async () => {
        const answer = await call(provider.token, 'GET', `datacenters/${ids[name]}/inventory`)
        return answer.status === 200 ? answer : undefined
      })
      const { items } = (await at(name).read<any>('/api/v1/nodes')) as { items: any[] }
      t.same(
        body.nodes.map((n: any) => [n.name, n.zone, n.schedulable, n.allocatable]),
        items.map((n) => [
          n.metadata.name,
          n.metadata.labels['topology.kubernetes.io/zone'],
          true,
          n.status.allocatable,
        ]),
      )
      const own = body.nodes.map((n: any) => n.ownUse).filter((use: any) => use.cpu !== undefined)
      t.same(own, [{ cpu: '1500m', memory: '64Mi', pods: '1' }])
      t.same(body.storageClasses, [{ name: 'snel', readWriteMany: false }])
      t.equal(body.kubernetesVersion, 'v1.36.1')
    }
  })

  let hosting: any
  let primary = ''
  let standby = ''
  const current = async () => (await call(consumer.token, 'GET', `hostings/${hosting.id}`)).body
  await t.test('a request stands in two clusters', async (t) => {
    const system = await call(consumer.token, 'POST', 'systems', {
      slug: 'zaken',
      name: 'Zaken',
      classes: { availability: 2, integrity: 2, confidentiality: 2 },
    })
    const made = await call(consumer.token, 'POST', 'hostings', {
      name: 'open-zaak',
      systemId: system.body.id,
      components: [{ name: 'web', replicas: 2, requests: { cpu: '750m', memory: '1Gi' } }],
      volumes: [{ name: 'data', storageClass: 'snel', size: '10Gi', accessMode: 'ReadWriteOnce' }],
      fallback: { mode: 'cold' },
    })
    hosting = made.body
    hosting = await until('running with fallback', 60_000, async () => {
      const body = await current()
      return body.state === 'running' && body.fallbackStatus === 'ready' ? body : undefined
    })
    const placed = (role: string) => hosting.placements.find((p: any) => p.role === role).datacenter
    primary = placed('primary')
    standby = placed('standby')
    t.not(primary, standby)
    const hard = {
      'requests.cpu': '1500m',
      'requests.memory': '2Gi',
      'requests.storage': '10Gi',
      'snel.storageclass.storage.k8s.io/requests.storage': '10Gi',
      persistentvolumeclaims: '1',
      'services.loadbalancers': '0',
      'services.nodeports': '0',
    }
    const quota = async (name: string) =>
      (await at(name).read<any>('/api/v1/namespaces/open-zaak/resourcequotas/gemeentecloud'))?.spec.hard
    t.same(await quota(primary), { ...hard, pods: '2' })
    t.same(await quota(standby), { ...hard, pods: '0' })
    const namespace = await at(primary).read<any>('/api/v1/namespaces/open-zaak')
    t.match(namespace.metadata.labels, {
      'gemeentecloud.nl/hosting': hosting.id,
      'gemeentecloud.nl/role': 'primary',
      'pod-security.kubernetes.io/enforce': 'restricted',
    })
    for (const name of names.filter((n) => n !== primary && n !== standby)) {
      t.notOk(await exists(name, '/api/v1/namespaces/open-zaak'))
    }
  })

  await t.test('the API server itself refuses what is over, and runs what is within', async (t) => {
    await t.rejects(at(primary).apply(pod('groot', 'open-zaak', '1600m')), /exceeded quota/)
    await at(primary).apply(pod('past', 'open-zaak', '1'))
    await until('the pod to run', 30_000, async () => {
      const found = await at(primary).read<any>('/api/v1/namespaces/open-zaak/pods/past')
      return found?.status.phase === 'Running' || undefined
    })
    await t.rejects(at(standby).apply(pod('past', 'open-zaak', '1')), /exceeded quota/, 'not at a cold standby')
    const { securityContext: _, ...open } = pod('open', 'open-zaak', '100m').spec
    await t.rejects(
      at(primary).apply({ ...pod('open', 'open-zaak', '100m'), spec: { ...open, hostNetwork: true } }),
      /PodSecurity/,
    )
    const may = (verb: string, what: string, group: string) =>
      at(primary)
        .kubectl(
          'auth',
          'can-i',
          verb,
          what,
          '-n',
          'open-zaak',
          '--as',
          'u',
          '--as-group',
          `gc:${consumer.id}:${group}`,
        )
        .then(
          () => true,
          () => false,
        )
    t.ok(await may('create', 'deployments', 'consumer'))
    t.notOk(await may('update', 'resourcequotas', 'consumer'))
    t.ok(await may('list', 'pods', 'auditor'))
    t.notOk(await may('create', 'pods', 'auditor'))
    const inventory = await call(provider.token, 'GET', `datacenters/${ids[primary]}/inventory`)
    t.equal(
      inventory.body.nodes.filter((n: any) => n.ownUse.cpu !== undefined).length,
      1,
      'the pod of the hosting is no own use',
    )
  })

  await t.test('drift is repaired', async (t) => {
    const path = '/apis/networking.k8s.io/v1/namespaces/open-zaak/networkpolicies/gemeentecloud-default-deny'
    const before = await at(primary).read<any>(path)
    await at(primary).kubectl('-n', 'open-zaak', 'delete', 'networkpolicy', 'gemeentecloud-default-deny')
    await at(primary).kubectl(
      '-n',
      'open-zaak',
      'patch',
      'resourcequota',
      'gemeentecloud',
      '-p',
      '{"spec":{"hard":{"pods":"100"}}}',
    )
    await until('the policy to be back', 20_000, async () => {
      const found = await at(primary).read<any>(path)
      return found && found.metadata.uid !== before.metadata.uid ? true : undefined
    })
    await until('the quota to be mended', 20_000, async () => {
      const found = await at(primary).read<any>('/api/v1/namespaces/open-zaak/resourcequotas/gemeentecloud')
      return found.spec.hard.pods === '2' || undefined
    })
    await at(standby).kubectl('delete', 'namespace', 'open-zaak')
    await until('the namespace to be back', 60_000, () =>
      at(standby).read('/api/v1/namespaces/open-zaak/resourcequotas/gemeentecloud'),
    )
  })

  await t.test('a cluster that is killed changes nothing elsewhere', async (t) => {
    await at(primary).kill()
    await until('suspicion', 30_000, async () =>
      (await datacenter(primary)).contact !== 'reachable' ? true : undefined,
    )
    const other = await call(consumer.token, 'POST', 'hostings', {
      name: 'objecten',
      systemId: hosting.systemId,
      components: [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '512Mi' } }],
      fallback: { mode: 'none' },
    })
    const placed = await until('another hosting to run', 30_000, async () => {
      const { body } = await call(consumer.token, 'GET', `hostings/${other.body.id}`)
      return body.state === 'running' ? body : undefined
    })
    t.not(placed.placements[0].datacenter, primary)
    await until('unreachable', 60_000, async () =>
      (await datacenter(primary)).contact === 'unreachable' ? true : undefined,
    )
    const body = await current()
    t.match(body, { state: 'degraded', fallbackStatus: 'ready' })
    t.match(
      body.placements.find((p: any) => p.role === 'primary'),
      { observed: 'unknown', observedAt: String },
    )
    t.match(await metrics(), new RegExp(`gemeentecloud_datacenter_up\\{datacenter="${primary}"\\} 0`))

    const ended = await call(consumer.token, 'DELETE', `hostings/${hosting.id}`)
    t.equal(ended.body.state, 'ending')
    await until('gone at the standby', 60_000, async () =>
      (await exists(standby, '/api/v1/namespaces/open-zaak')) ? undefined : true,
    )
    t.match(await current(), { state: 'ending' }, 'what cannot be seen may still be there')
  })

  await t.test('when it is back, the end is completed and nothing of the owner was touched', async (t) => {
    await at(primary).restart()
    await until('the end', 120_000, async () => ((await current()).state === 'ended' ? true : undefined))
    for (const name of names) {
      t.notOk(await exists(name, '/api/v1/namespaces/open-zaak'), `gone at ${name}`)
      const own = await at(name).read<any>('/api/v1/namespaces/eigen/pods/eigen')
      t.equal(own?.status.phase, 'Running', `the owner's pod runs at ${name}`)
    }
    t.match(await datacenter(primary), { contact: 'reachable', state: 'active' })
    const { body } = await call(consumer.token, 'GET', `events?subject=${hosting.id}&limit=500`)
    const types = body.items.map((event: any) => event.type)
    t.equal(types.filter((type: string) => type === 'placement.released').length, 2)
    t.equal(types.at(-1), 'hosting.ended')
  })
})
