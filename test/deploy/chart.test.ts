/** The chart: what it renders, what it refuses, and its life on a real API server that enforces restricted pods. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { defaultCeilings } from '../../services/shared/ceilings.ts'
import { readConfig } from '../../services/shared/config.ts'
import { defaultLimits } from '../../services/shared/kubernetes/limits.ts'
import { type Cluster, missingForClusters, startClusters, until } from '../clusters/start.ts'
import { temporaryFolder } from '../support/folder.ts'
import { settingNames } from '../support/settings.ts'
import { readDockerfile, type Stage, textsOf } from './dockerfile.ts'
import { chart, deploymentOf, environmentOf, ofKind, type Rendered, startHelm } from './helm.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

const folder = temporaryFolder('chart')
t.teardown(() => folder.remove())

const key = randomBytes(32).toString('base64')
const url = 'postgres://gemeentecloud:p%40ss@database.loket.svc:5432/gemeentecloud?sslmode=verify-full'
const token = `gc_test_${randomBytes(16).toString('hex')}`
const image = { repository: 'registry.test/loket/gemeentecloud' }

/** The least that can be installed: the chart makes the Secret. */
const least = { image, database: { url }, encryptionKey: { value: key } }
/** What an installation by GitOps looks like: all Secrets exist. */
const referring = {
  image: { ...image, digest: `sha256:${'a1'.repeat(32)}` },
  database: { existingSecret: { name: 'database-app' } },
  encryptionKey: { existingSecret: { name: 'loket-keys' } },
  bootstrapToken: { existingSecret: { name: 'loket-keys', key: 'first-token' } },
  desk: { oin: '00000001234567890000' },
}
const existing = { 'database-app': { uri: url }, 'loket-keys': { 'encryption-key': key, 'first-token': token } }
/** Every value that changes the environment or adds an object. */
const full = {
  ...least,
  replicas: 3,
  bootstrapToken: { value: token },
  desk: { name: 'Loket "Noord", afdeling: 1', oin: '00000001234567890000' },
  logLevel: 'debug',
  allowedClusterAddresses: ['169.254.7.0/24', 'fe80::/64'],
  refusedClusterAddresses: ['10.96.0.0/12', 'fd00:10:96::/112'],
  fallbackProfile: 'tolerant',
  ceilings: { hostings: 2_000_000, offers: 7 },
  clusterLimits: { objects: 1_000_000 },
  listenAddress: '::',
  tunnel: { address: 'tunnel.loket.test:443', type: 'LoadBalancer' },
  gateway: { enabled: true, replicas: 2, tlsSecret: 'gateway-tls', service: { type: 'LoadBalancer' } },
  trustedCertificates: { configMap: 'pkioverheid' },
  imagePullSecrets: ['registry'],
  ingress: { enabled: true, className: 'nginx', host: 'loket.test', tlsSecret: 'loket-tls' },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  topologySpread: 'DoNotSchedule',
  podLabels: { team: 'loket' },
}

t.test('what the chart renders', { skip }, async (t) => {
  const helm = await startHelm(folder.path)
  await t.test('passes the linter, without values and with each set', async (t) => {
    t.match(await helm.run('lint', '--strict', chart), '0 chart(s) failed')
    for (const [name, values] of Object.entries({ least, referring, full })) {
      t.match(await helm.run('lint', '--strict', chart, '--values', helm.file(name, values)), '0 chart(s) failed', name)
    }
  })

  await t.test('is an environment that the broker accepts', async (t) => {
    const sets = { least, referring, full }
    for (const [name, values] of Object.entries(sets)) {
      const environment = environmentOf(await helm.template(values), existing)
      const read = readConfig(environment)
      t.same(read.ok ? [] : read.errors, [], name)
      if (!read.ok) continue
      const { host, port, managementPort, databaseUrl, encryptionKey } = read.config
      t.match({ port, managementPort, databaseUrl }, { port: 8080, managementPort: 8081, databaseUrl: url }, name)
      t.equal(Buffer.from(encryptionKey ?? []).toString('base64'), key, name)
      t.not(host, '127.0.0.1', 'others reach it')
      if (name === 'full') continue
      t.same(read.config.ceilings, defaultCeilings, 'the chart has the same by default')
      t.match(defaultLimits, read.config.limits, 'of clusters too')
    }
    const environment = environmentOf(await helm.template(full))
    const read = readConfig(environment)
    t.match(read.ok && read.config, {
      logLevel: 'debug',
      bootstrapToken: token,
      desk: full.desk,
      allowedAddresses: full.allowedClusterAddresses,
      refusedAddresses: full.refusedClusterAddresses,
      fallbackProfile: 'tolerant',
      ceilings: { ...defaultCeilings, ...full.ceilings },
      limits: { listObjects: 1_000_000, listMs: defaultLimits.listMs },
    })
    // A setting of the broker that the chart does not pass on would show here.
    const ofOthers = /^(GEMEENTECLOUD_DATA|BROKER_URL|GATEWAY_.*)$/
    const settings = settingNames().filter((name) => !ofOthers.test(name))
    const known = [...settings, 'NODE_EXTRA_CA_CERTS']
    t.same(Object.keys(environment).sort(), known.sort())
  })

  await t.test(
    'is an environment that the gateway accepts, which is that of the broker as far as they share it',
    async (t) => {
      const objects = await helm.template(full)
      const environment = environmentOf(objects, {}, 'gateway')
      const { BROKER_URL, GATEWAY_PORT, GATEWAY_CERTIFICATE_FILE, GATEWAY_KEY_FILE, ...shared } = environment
      t.match(environmentOf(objects), shared)
      const read = readConfig(environment)
      t.match(read.ok ? read.config : read.errors, {
        brokerUrl: 'http://gemeentecloud:80',
        gateway: { host: '::', port: 8443, files: { cert: GATEWAY_CERTIFICATE_FILE, key: GATEWAY_KEY_FILE } },
        tunnel: { port: 8082, address: full.tunnel.address },
        databaseUrl: url,
      })
      const { containers, volumes } = deploymentOf(objects, 'gateway').spec.template.spec
      t.same(containers[0].command, ['node', 'services/gateway-main.ts'])
      t.match(
        textsOf(readDockerfile().at(-1) as Stage, 'COPY').join('\n'),
        containers[0].command[1],
        'which the image has',
      )
      const [mount] = containers[0].volumeMounts.filter(({ name }: Rendered) => name === 'tls')
      t.equal(dirname(GATEWAY_KEY_FILE ?? ''), mount.mountPath)
      t.match(volumes, [{}, { name: 'tls', secret: { secretName: 'gateway-tls' } }])
      for (const path of [GATEWAY_CERTIFICATE_FILE, GATEWAY_KEY_FILE])
        t.match(path, /tls\.(crt|key)$/, 'a Secret of TLS')
      t.same(ofKind(await helm.template(least), 'Deployment').length, 1, 'there is none unless it is asked for')
    },
  )

  await t.test('leads agents to brokers and gateways, and everybody else to one of them', async (t) => {
    const objects = await helm.template(full)
    const labels = ofKind(objects, 'Deployment').map(({ spec }) => spec.template.metadata.labels)
    const led = (selector: Record<string, string>) =>
      labels
        .filter((label) => Object.entries(selector).every(([name, value]) => label[name] === value))
        .map((label) => label['app.kubernetes.io/name'])
    for (const { metadata, spec } of ofKind(objects, 'Service')) {
      const both = ['gemeentecloud', 'gemeentecloud-gateway']
      const its = /gateway/.test(metadata.name) ? 'gemeentecloud-gateway' : 'gemeentecloud'
      t.same(led(spec.selector), metadata.name === 'gemeentecloud-tunnel' ? both : [its], metadata.name)
      if (led(spec.selector).length > 1) t.ok(spec.publishNotReadyAddresses, 'a gateway is ready when agents are there')
    }
    for (const kind of ['Deployment', 'PodDisruptionBudget'])
      t.same(
        ofKind(objects, kind).map(({ spec }) => led(spec.selector.matchLabels)),
        [['gemeentecloud'], ['gemeentecloud-gateway']],
        kind,
      )
    const [gateway] = ofKind(objects, 'Service').filter(({ metadata }) => metadata.name === 'gemeentecloud-gateway')
    t.equal(gateway.spec.type, 'LoadBalancer')
  })

  await t.test('keeps secrets in Secrets', async (t) => {
    const objects = await helm.template(full)
    const elsewhere = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'))
    for (const secret of [url, key, token]) t.notMatch(elsewhere, secret.replaceAll(/[+?.]/g, '\\$&'))
    t.same(ofKind(await helm.template(referring), 'Secret'), [], 'makes none when all exist')
    const changed = await helm.template({ ...full, encryptionKey: { value: randomBytes(32).toString('base64') } })
    const [before, after] = [objects, changed].map((o) => annotationsOf(o)['checksum/secret'])
    t.not(before, after, 'pods are replaced when the Secret changes')
  })

  await t.test('stops and starts as the broker needs it', async (t) => {
    const objects = await helm.template(full)
    const programs = { broker: 'services/broker/main.ts', gateway: 'services/gateway-main.ts' }
    for (const [name, program] of Object.entries(programs)) {
      const deployment = deploymentOf(objects, name)
      const { spec } = deployment.spec.template
      const [container] = spec.containers
      const main = readFileSync(join(root, program), 'utf8')
      const stopSeconds = Number(/closeWithGrace\(\{ delay: ([\d_]+)/.exec(main)?.[1]?.replaceAll('_', '')) / 1000
      const waited = container.lifecycle.preStop.sleep.seconds
      t.ok(spec.terminationGracePeriodSeconds > stopSeconds + waited, `${stopSeconds} s of its own after ${waited} s`)
      t.same(deployment.spec.strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 })
      t.equal(container.readinessProbe.httpGet.path, '/readyz')
      t.equal(container.livenessProbe.httpGet.path, '/livez', 'a store that is away restarts nobody')
      t.equal(spec.enableServiceLinks, false, 'else GEMEENTECLOUD_PORT of its own Service would be refused')
      const { runAsUser, runAsGroup } = spec.securityContext
      const dockerfile = readDockerfile().at(-1)
      t.equal(`${runAsUser}:${runAsGroup}`, dockerfile && textsOf(dockerfile, 'USER').join(), 'the user of the image')
    }
  })

  await t.test('lets in and out what is named', async (t) => {
    const objects = await helm.template({
      ...full,
      networkPolicy: {
        managementFrom: [],
        tunnelFrom: [],
        gatewayFrom: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
        clustersTo: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
        clusterPorts: [6443],
      },
    })
    const [policy, ofGateway] = ofKind(objects, 'NetworkPolicy')
    const gateways = { podSelector: ofGateway.spec.podSelector }
    t.same(policy.spec.ingress, [{ from: [{ podSelector: {} }, gateways], ports: [{ protocol: 'TCP', port: 8080 }] }])
    t.match(policy.spec.egress.at(-1), { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 6443 }] })
    t.same(ofGateway.spec.ingress, [
      { from: [{ ipBlock: { cidr: '10.1.0.0/16' } }], ports: [{ protocol: 'TCP', port: 8443 }] },
    ])
    const desk = [{ podSelector: policy.spec.podSelector }]
    t.same(ofGateway.spec.egress, [...policy.spec.egress, { to: desk, ports: [{ protocol: 'TCP', port: 8080 }] }])
    for (const [{ spec }, container] of [
      [policy, 'broker'],
      [ofGateway, 'gateway'],
    ] as const) {
      t.same(spec.policyTypes, ['Ingress', 'Egress'])
      for (const rule of spec.egress.slice(1)) t.ok(rule.to.length > 0, 'beside names, nothing is open to all')
      const { labels } = deploymentOf(objects, container).spec.template.metadata
      t.match(labels, spec.podSelector.matchLabels, 'and it is about our pods')
    }
    const alone = ofKind(
      await helm.template({ ...least, networkPolicy: { apiFrom: [], tunnelFrom: [] } }),
      'NetworkPolicy',
    )
    t.match(alone, [{ spec: { ingress: [{ ports: [{ port: 8081 }] }] } }], 'an empty list lets nobody through')
    const backends = ofKind(objects, 'Ingress').map(({ spec }) => spec.rules[0].http.paths[0].backend.service)
    t.same(backends, [{ name: 'gemeentecloud', port: { name: 'api' } }], 'an Ingress leads to the API alone')
    for (const monitor of ofKind(objects, 'ServiceMonitor')) {
      const wanted = Object.entries(monitor.spec.selector.matchLabels)
      const watched = ofKind(objects, 'Service').filter((service) =>
        wanted.every(([name, value]) => service.metadata.labels[name] === value),
      )
      const name = `${monitor.metadata.name}-management`
      t.match(watched, [{ metadata: { name } }], 'and a ServiceMonitor to the other')
      t.match(watched[0].spec.ports, [{ name: monitor.spec.endpoints[0].port }])
    }
    t.equal(ofKind(objects, 'ServiceMonitor').length, 2)
  })

  await t.test('has names that fit, and no budget for a single replica', async (t) => {
    const gateway = { ...full.gateway, replicas: 1 }
    const values = { ...least, replicas: 1, gateway }
    const objects = await helm.template(values, 'a-release-with-a-name-as-long-as-helm-lets-it-be-x')
    for (const { metadata } of objects) t.match(metadata.name, /^[a-z0-9-]{1,63}$/)
    t.same(ofKind(objects, 'PodDisruptionBudget'), [])
  })
})

t.test('wrong values are refused by name', { skip }, async (t) => {
  const helm = await startHelm(folder.path)
  const ingress = { enabled: true }
  const cases: readonly [object, RegExp][] = [
    [{ replicas: 0 }, /'\/replicas': minimum/],
    [{ replica: 2 }, /additional properties 'replica' not allowed/],
    [{ image: { ...image, name: 'x' } }, /'\/image': additional properties 'name'/],
    [{ image: { repository: 'Not A Name' } }, /'\/image\/repository': .* does not match/],
    [{ database: { url: 'mysql://x' } }, /'\/database\/url': .* does not match/],
    [{ encryptionKey: { value: 'short' } }, /'\/encryptionKey\/value': .* does not match/],
    [{ bootstrapToken: { value: 'too short' } }, /'\/bootstrapToken\/value'/],
    [{ desk: { oin: 1234567890 } }, /'\/desk\/oin': got number, want string/],
    [{ logLevel: 'loud' }, /'\/logLevel': value must be one of/],
    [{ allowedClusterAddresses: ['everywhere'] }, /'\/allowedClusterAddresses\/0'/],
    [{ networkPolicy: { apiFrom: [{ pods: {} }] } }, /'\/networkPolicy\/apiFrom\/0': additional properties 'pods'/],
    [{ topologySpread: 'Perhaps' }, /'\/topologySpread'/],
    [{ image: { repository: '' } }, /image\.repository is empty/],
    [{ database: { url: '' } }, /database is missing/],
    [{ database: { url, existingSecret: { name: 'x' } } }, /database\.url and database\.existingSecret\.name are both/],
    [{ encryptionKey: { value: '' } }, /encryptionKey is missing/],
    [{ bootstrapToken: { value: token } }, /desk\.oin is empty/],
    [{ ingress }, /ingress\.host is empty/],
    [{ gateway: { enabled: true } }, /gateway\.tlsSecret is empty/],
    [{ gateway: { enabled: true, replicas: 0 } }, /'\/gateway\/replicas': minimum/],
    [{ image: { repository: '' }, ingress }, /image\.repository[\s\S]*ingress\.host/],
  ]
  for (const [values, message] of cases) {
    await t.rejects(helm.template({ ...least, ...values }), { message }, JSON.stringify(values))
  }
  t.ok(await helm.template(least), 'and without them it renders')
})

t.test('its life in a namespace of restricted pods', { skip }, async (t) => {
  const node = (name: string, zone: string) => ({ name, zone, cpu: '4', memory: '8Gi' })
  const { loket: cluster } = await startClusters(t, [
    { name: 'loket', nodes: [node('a', 'z1'), node('b', 'z2'), node('c', 'z3')] },
  ])
  const helm = await startHelm(folder.path)
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'loket', labels } })
  const inLoket = ['--namespace', 'loket', '--wait', '--timeout', '180s']
  const bare = await contents(cluster)

  await t.test('the namespace refuses what is not restricted', async (t) => {
    const run = cluster.kubectl('-n', 'loket', 'run', 'plain', '--image', 'none')
    await t.rejects(run, { message: /violates PodSecurity "restricted/ })
  })

  await t.test('installed, two replicas run in two zones', async (t) => {
    const values = helm.file('install', { ...full, replicas: 2, serviceMonitor: { enabled: false } })
    const notes = await cluster.helm('install', 'gemeentecloud', chart, '--values', values, ...inLoket)
    t.match(notes, 'export GEMEENTECLOUD_URL=https://loket.test')
    t.match(notes, 'Name that of the ingress controller in networkPolicy.apiFrom')
    const pods = await runningPods(cluster, 2)
    t.equal(new Set(pods.map(({ spec }) => spec.nodeName)).size, 2)
    const budget = await until('the budget to allow a disruption', 60_000, async () => {
      const found = await cluster.read<Rendered>('/apis/policy/v1/namespaces/loket/poddisruptionbudgets/gemeentecloud')
      return found?.status?.disruptionsAllowed === 1 ? found : undefined
    })
    t.match(budget.status, { currentHealthy: 2, desiredHealthy: 1 })
    for (const name of ['gemeentecloud', 'gemeentecloud-management', 'gemeentecloud-gateway'])
      t.ok(await hasEndpoints(cluster, name, 2), name)
    t.ok(await hasEndpoints(cluster, 'gemeentecloud-tunnel', 4), 'agents find all four')
  })

  await t.test('upgraded, it never serves with fewer', async (t) => {
    const values = helm.file('upgrade', {
      ...full,
      serviceMonitor: { enabled: false },
      image: { ...image, tag: 'next' },
    })
    const before = await runningPods(cluster, 2)
    let done = false
    const seen = watchAvailable(cluster, () => done)
    await cluster.helm('upgrade', 'gemeentecloud', chart, '--values', values, ...inLoket).finally(() => {
      done = true
    })
    const available = await seen
    t.ok(Math.min(...available) >= 2, `available while it went on: ${[...new Set(available)].join(', ')}`)
    const pods = await runningPods(cluster, 3)
    t.ok(pods.every(({ spec }) => spec.containers[0].image === `${image.repository}:next`))
    t.notOk(
      pods.some((pod) => before.some((old) => old.metadata.uid === pod.metadata.uid)),
      'all were replaced',
    )
  })

  await t.test('an upgrade with wrong values changes nothing', async (t) => {
    const values = helm.file('wrong', { ...full, replicas: -1 })
    const upgrade = cluster.helm('upgrade', 'gemeentecloud', chart, '--values', values, ...inLoket)
    await t.rejects(upgrade, { message: /'\/replicas': minimum/ })
    t.match(JSON.parse(await cluster.helm('list', '-n', 'loket', '-o', 'json')), [
      { revision: '2', status: 'deployed' },
    ])
  })

  await t.test('uninstalled, it leaves nothing', async (t) => {
    t.not((await contents(cluster)).length, bare.length)
    await cluster.helm('uninstall', 'gemeentecloud', ...inLoket)
    let left: string[] = []
    const isBare = async () => {
      left = (await contents(cluster)).filter((name) => !bare.includes(name))
      return left.length === 0 || undefined
    }
    await until('all of it to be gone', 60_000, isBare).catch(() => undefined)
    t.same(left, [])
  })
})

const annotationsOf = (objects: readonly Rendered[]): Record<string, string> =>
  ofKind(objects, 'Deployment')[0].spec.template.metadata.annotations

/** Those of the broker. */
async function runningPods(cluster: Cluster, count: number): Promise<Rendered[]> {
  const path = '/api/v1/namespaces/loket/pods?labelSelector=app.kubernetes.io%2Fname%3Dgemeentecloud'
  return until(`${count} pods to run`, 120_000, async () => {
    const list = await cluster.read<Rendered>(path)
    const all: Rendered[] = list?.items ?? []
    return all.length === count && all.every(({ status }) => status.phase === 'Running') ? all : undefined
  })
}

async function hasEndpoints(cluster: Cluster, service: string, count: number): Promise<true> {
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`)
  const path = `/apis/discovery.k8s.io/v1/namespaces/loket/endpointslices?labelSelector=${selector}`
  return until(`${count} endpoints of ${service}`, 60_000, async () => {
    const slices: Rendered[] = (await cluster.read<Rendered>(path))?.items ?? []
    return slices.flatMap(({ endpoints }) => endpoints ?? []).length === count || undefined
  })
}

/** What the Deployment had available, again and again until `isDone`. */
async function watchAvailable(cluster: Cluster, isDone: () => boolean): Promise<number[]> {
  const seen: number[] = []
  while (!isDone()) {
    const found = await cluster.read<Rendered>('/apis/apps/v1/namespaces/loket/deployments/gemeentecloud')
    seen.push(found?.status.availableReplicas ?? 0)
    await sleep(50)
  }
  return seen
}

/** Names of all there is in the namespace, of every kind; events only tell of it. */
async function contents(cluster: Cluster): Promise<string[]> {
  const kinds = await cluster.kubectl('api-resources', '--verbs=list', '--namespaced', '-o', 'name')
  const wanted = kinds.split('\n').filter((kind) => kind !== '' && !/^events\b/.test(kind))
  const names = await cluster.kubectl('-n', 'loket', 'get', wanted.join(','), '-o', 'name', '--ignore-not-found')
  return names.split('\n').filter((name) => name !== '')
}
