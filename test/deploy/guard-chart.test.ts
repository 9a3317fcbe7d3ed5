/** The guard of the nodes in the chart of the agent: off unless it is wanted, and no more rights than its work takes. */
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { readAgentConfig } from '../../services/agent/config.ts'
import { readGuardConfig } from '../../services/agent/guard/config.ts'
import { missingForClusters } from '../clusters/start.ts'
import { temporaryFolder } from '../support/folder.ts'
import { ofKind, type Rendered, startHelm } from './helm.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const chart = join(root, 'charts/gemeentecloud-agent')
const folder = temporaryFolder('guard-chart')
t.teardown(() => folder.remove())

const least = { image: { repository: 'registry.test/gemeentecloud' }, desk: { url: 'https://desk.test' } }
const guarded = { ...least, guard: { enabled: true } }
const withPolicies = ['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy']

const environmentOf = ({ env }: Rendered) =>
  Object.fromEntries(env.map(({ name, value = 'node-1' }: { name: string; value?: string }) => [name, value]))

t.test('the guard in the chart of the agent', { skip }, async (t) => {
  const helm = await startHelm(folder.path, chart)
  const render = (values: object) => helm.template(values, 'gemeentecloud-agent', withPolicies)

  await t.test('is not there unless it is wanted', async (t) => {
    const text = JSON.stringify(await render(least))
    t.notMatch(text, /DaemonSet|AdmissionPolicy|GUARD|8083/)
    const gate = { enabled: false }
    const watchdog = { device: '/dev/watchdog' }
    for (const [name, guard] of Object.entries({ few: {}, more: { seLinuxType: 'spc_t', watchdog } })) {
      const file = helm.file(name, { ...least, guard: { enabled: true, gate, ...guard } })
      t.match(await helm.run('lint', '--strict', chart, '--values', file), '0 chart(s) failed', name)
    }
  })

  await t.test('is an environment that the guard accepts, and its agent answers where it asks', async (t) => {
    const objects = await render(guarded)
    const { spec } = ofKind(objects, 'DaemonSet')[0].spec.template
    const [container] = spec.containers
    t.same(container.command, ['node', 'services/agent/guard/main.ts'])
    const read = readGuardConfig(environmentOf(container))
    t.match(read, {
      ok: true,
      config: {
        agent: 'gemeentecloud-agent-guards.loket.svc:8083',
        runtimeSocket: '/run/runtime/containerd.sock',
        gateImage: 'registry.test/gemeentecloud:0.1.0',
        watchdog: undefined,
      },
    })
    const mounts: Rendered[] = container.volumeMounts
    const pathOf = (name: string) => mounts.find((mount) => mount.name === name).mountPath
    const { config } = read as Extract<typeof read, { ok: true }>
    t.ok(config.runtimeSocket.startsWith(`${pathOf('runtime')}/`))
    t.equal(config.dataDirectory, pathOf('state'))
    t.equal(config.keyFile, `${pathOf('key')}/key`)

    const [agent] = ofKind(objects, 'Deployment')[0].spec.template.spec.containers
    t.match(readAgentConfig({ ...environmentOf(agent), POD_NAMESPACE: 'loket' }), {
      config: { guards: { port: 8083 } },
    })
    const [service] = ofKind(objects, 'Service')
    t.match(service, {
      metadata: { name: 'gemeentecloud-agent-guards' },
      spec: { clusterIP: 'None', publishNotReadyAddresses: true, ports: [{ port: 8083, targetPort: 'guards' }] },
    })
    t.ok(agent.ports.some(({ name }: Rendered) => name === 'guards'))
    const { labels } = ofKind(objects, 'Deployment')[0].spec.template.metadata
    t.match(labels, service.spec.selector)
    const key = spec.volumes.find(({ name }: Rendered) => name === 'key').secret
    const own = ofKind(objects, 'Role')[0].rules.filter(({ resourceNames }: Rendered) =>
      resourceNames?.includes(key.secretName),
    )
    t.same(
      own.map(({ verbs }: Rendered) => verbs),
      [['get']],
      'the agent reads the key that it has made',
    )
  })

  await t.test('is on every node, unprivileged, without an account at the API server', async (t) => {
    const objects = await render(guarded)
    const { spec } = ofKind(objects, 'DaemonSet')[0].spec.template
    t.match(spec, {
      automountServiceAccountToken: false,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
    })
    t.same(spec.containers[0].securityContext, {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    })
    for (const name of ['hostNetwork', 'hostPID', 'hostIPC']) t.notOk(spec[name], name)
    const account = spec.serviceAccountName
    for (const { subjects } of [...ofKind(objects, 'ClusterRoleBinding'), ...ofKind(objects, 'RoleBinding')])
      t.notOk(
        subjects.some(({ name }: Rendered) => name === account),
        'no rights',
      )
    const hostPaths = spec.volumes.flatMap(({ hostPath }: Rendered) => (hostPath ? [hostPath.path] : []))
    t.same(hostPaths, ['/run/containerd', '/var/lib/gemeentecloud-guard'])
    const policy = ofKind(objects, 'NetworkPolicy').find(
      ({ metadata }) => metadata.name === 'gemeentecloud-agent-guard',
    )
    t.same(
      policy.spec.egress.flatMap(({ ports }: Rendered) => ports.map(({ port }: Rendered) => port)),
      [53, 53, 8083],
    )
  })

  await t.test('takes a privileged container for a watchdog, and for nothing else', async (t) => {
    const objects = await render({ ...least, guard: { enabled: true, watchdog: { device: '/dev/watchdog1' } } })
    const { spec } = ofKind(objects, 'DaemonSet')[0].spec.template
    t.equal(spec.containers[0].securityContext.privileged, true)
    t.match(readGuardConfig(environmentOf(spec.containers[0])), { config: { watchdog: '/dev/watchdog1' } })
    t.match(spec.volumes.at(-1), { hostPath: { path: '/dev/watchdog1', type: 'CharDevice' } })
  })

  await t.test('has a gate where the cluster can add one, and says so where it cannot', async (t) => {
    t.equal((await render(guarded)).filter(({ kind }) => /AdmissionPolicy/.test(kind)).length, 4)
    await t.rejects(helm.template(guarded), /needs MutatingAdmissionPolicy/)
    const without = await helm.template({ ...least, guard: { enabled: true, gate: { enabled: false } } })
    t.notMatch(JSON.stringify(without), /AdmissionPolicy/)
    const older = await helm.template(guarded, 'agent', [
      '--api-versions',
      'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy',
    ])
    t.equal(ofKind(older, 'MutatingAdmissionPolicy')[0].apiVersion, 'admissionregistration.k8s.io/v1beta1')
    const named = await render({ ...least, guard: { enabled: true, gate: { image: 'registry.test/gate:2' } } })
    t.match(JSON.stringify(ofKind(named, 'MutatingAdmissionPolicy')), /image: \\"registry.test\/gate:2\\"/)
    t.match(environmentOf(ofKind(named, 'DaemonSet')[0].spec.template.spec.containers[0]), {
      GATE_IMAGE: 'registry.test/gate:2',
    })
  })
})
