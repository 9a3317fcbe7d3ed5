/** The gate of pods of guarded hostings, as a real API server adds it, and that nobody goes round it. */
import { join } from 'node:path'
import t from 'tap'
import { root } from '../../scripts/sources.ts'
import { activeEpochLabel, gateName, hostingLabel, waitCommand } from '../../services/agent/guard/gate.ts'
import { type Rendered, startHelm } from '../deploy/helm.ts'
import { temporaryFolder } from '../support/folder.ts'
import { missingForClusters, startClusters, until } from './start.ts'

t.setTimeout(10 * 60_000)
const skip = (await missingForClusters()) ?? false
const folder = temporaryFolder('gate')
t.teardown(() => folder.remove())

const values = {
  image: { repository: 'registry.test/gemeentecloud', tag: '7' },
  desk: { url: 'https://desk.test' },
  guard: { enabled: true },
}
const mutating = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy'

const namespace = (name: string, labels: Record<string, string>, epoch?: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted', ...labels },
    annotations: epoch === undefined ? {} : { 'gemeentecloud.nl/active-epoch': epoch },
  },
})
const restricted = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 1000,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const container = (name: string) => ({ name, image: 'registry.test/app:1', securityContext: restricted })
const pod = (space: string, name: string, spec: object = {}, labels?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: space, ...(labels && { labels }) },
  spec: { containers: [container('app')], ...spec },
})

t.test('the gate of guarded hostings on a real API server', { skip }, async (t) => {
  const helm = await startHelm(folder.path, join(root, 'charts/gemeentecloud-agent'))
  const objects = await helm.template(values, 'agent', ['--api-versions', mutating])
  const { delft } = await startClusters(t, [{ name: 'delft', nodes: [{ name: 'a', cpu: '4', memory: '8Gi' }] }])
  const hosting = { [hostingLabel]: 'hst_1', 'gemeentecloud.nl/role': 'primary' }
  await delft.apply(
    namespace('loket', { 'pod-security.kubernetes.io/enforce': 'privileged' }),
    namespace('zaak', { ...hosting, 'gemeentecloud.nl/activity': 'exclusive' }, '2.17'),
    namespace('warm', { ...hosting, 'gemeentecloud.nl/role': 'standby', 'gemeentecloud.nl/activity': 'pinned' }),
    namespace('site', { ...hosting, 'gemeentecloud.nl/activity': 'shared' }),
    namespace('own', {}),
  )
  // The whole chart, so that all of it is known to be taken.
  await delft.apply(
    ...objects.map(({ metadata, ...rest }) => ({ ...rest, metadata: { namespace: 'loket', ...metadata } })),
  )
  const made = async (object: ReturnType<typeof pod>): Promise<Rendered> => {
    await delft.apply(object)
    return delft.read(`/api/v1/namespaces/${object.metadata.namespace}/pods/${object.metadata.name}`)
  }
  const gateOf = ({ spec }: Rendered) => spec.initContainers?.[0]

  await t.test('comes first in every pod, with the hosting and the epoch on the label', async (t) => {
    let count = 0
    const first = await until('the policies to be in force', 60_000, async () => {
      const read = await made(pod('zaak', `bare-${++count}`))
      return gateOf(read) ? read : undefined
    })
    t.match(gateOf(first), {
      name: gateName,
      image: 'registry.test/gemeentecloud:7',
      command: [...waitCommand],
      securityContext: { ...restricted, runAsUser: 10001, readOnlyRootFilesystem: true },
    })
    t.match(first.metadata.labels, { [hostingLabel]: 'hst_1', [activeEpochLabel]: '2.17' })
    const forged = { app: 'x', [hostingLabel]: 'hst_2', [activeEpochLabel]: '0.1' }
    const full = await made(pod('zaak', 'full', { initContainers: [container('before')] }, forged))
    t.same(
      full.spec.initContainers.map(({ name }: Rendered) => name),
      [gateName, 'before'],
    )
    t.match(full.metadata.labels, { app: 'x', [hostingLabel]: 'hst_1', [activeEpochLabel]: '2.17' })
  })

  await t.test('in pods that a Deployment makes too', async (t) => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container('web')] } }
    await delft.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'zaak' },
      spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
    })
    const [found] = await until('the pod of the Deployment', 30_000, async () => {
      const list = await delft.read<Rendered>('/api/v1/namespaces/zaak/pods?labelSelector=app%3Dweb')
      return list?.items.length === 1 ? list.items : undefined
    })
    t.equal(gateOf(found).name, gateName)
  })

  await t.test('cannot be replaced by one of the same name', async (t) => {
    const gate = gateOf(await made(pod('zaak', 'other')))
    const forged = (name: string, changes: object) =>
      made(pod('zaak', name, { initContainers: [{ ...gate, volumeMounts: [], ...changes }] }))
    await t.rejects(forged('image', { image: 'registry.test/app:1' }), /begins with the container gemeentecloud-gate/)
    await t.rejects(forged('command', { command: ['true'] }), /begins with the container gemeentecloud-gate/)
    await t.rejects(forged('args', { args: ['x'] }), /begins with the container gemeentecloud-gate/)
    await t.rejects(forged('sidecar', { restartPolicy: 'Always' }), /begins with the container gemeentecloud-gate/)
    t.ok(await forged('same', {}), 'its own is let through')
  })

  await t.test('does not keep the guard itself from its nodes', async (t) => {
    const pods = await until('a guard on the node', 30_000, async () => {
      const list = await delft.read<Rendered>('/api/v1/namespaces/loket/pods?fieldSelector=spec.nodeName%3Da')
      const guards = list?.items.filter(({ metadata }: Rendered) => /-guard-/.test(metadata.name))
      return guards?.length === 1 ? guards : undefined
    })
    t.notOk(gateOf(pods[0]))
  })

  await t.test('is of no concern to a warm standby, to what is shared, and to other namespaces', async (t) => {
    for (const space of ['warm', 'site', 'own']) {
      const read = await made(pod(space, 'app'))
      t.notOk(gateOf(read), space)
      t.notOk(read.metadata.labels?.[activeEpochLabel], space)
    }
  })
})
