/** What is copied of an object, what a copy holds back, and that a copy says the same as what it is a copy of. */
import t from 'tap'
import { copyOf, isHeld, type Standing, scaledBy } from '../../../services/broker/mirror/core/copy.ts'
import { essenceOf } from '../../../services/broker/mirror/core/essence.ts'
import type { MirroredObject } from '../../../services/broker/mirror/core/objects.ts'
import { digestOf } from '../../../services/broker/mirror/digest.ts'

const options = { isMadeThere: () => true, isLeftOut: () => false }
const source = { namespaceUid: 'ns-1', uid: 'uid-1' }
const standing = (mode: Standing['mode'], warmReplicas = 1, scaled = ''): Standing => ({
  mode,
  warmReplicas,
  isScaled: (kind, name) => `${kind}/${name}` === scaled,
  waits: () => false,
})
const object = (apiVersion: string, kind: string, body: object = {}, metadata: object = {}): MirroredObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'open-zaak', ...metadata },
  ...body,
})
const essence = (given: MirroredObject) => {
  const found = essenceOf(given, options)
  if (!found) throw new Error('it is not copied')
  return found
}
/** As the standby would have it after the write. */
const there = (given: MirroredObject, at: Standing) =>
  ({ ...copyOf(essence(given), source, at), status: { of: 'that cluster' } }) as MirroredObject

t.test('what a cluster assigned is left out', async (t) => {
  const assigned = {
    uid: 'u',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{}],
    finalizers: ['kubernetes.io/pvc-protection'],
    ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'y' }],
  }
  const labels = { app: 'web' }
  const annotations = {
    'deployment.kubernetes.io/revision': '4',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
  }
  t.same(
    essence(
      object('apps/v1', 'Deployment', { spec: { replicas: 3 }, status: {} }, { ...assigned, labels, annotations }),
    ),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        namespace: 'open-zaak',
        labels,
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
      spec: { replicas: 3 },
    },
  )
  const service = {
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  }
  t.same(essence(object('v1', 'Service', { spec: { ...service, ports: [{ port: 80, nodePort: 30_000 }] } }))['spec'], {
    ports: [{ port: 80 }],
  })
  t.same(essence(object('v1', 'Service', { spec: { clusterIP: 'None', ipFamilyPolicy: 'PreferDualStack' } }))['spec'], {
    clusterIP: 'None',
    ipFamilyPolicy: 'PreferDualStack',
  })
  const claim = { volumeName: 'pv-1', dataSource: { kind: 'VolumeSnapshot' }, storageClassName: 'snel' }
  t.same(essence(object('v1', 'PersistentVolumeClaim', { spec: claim }))['spec'], { storageClassName: 'snel' })
})

t.test('what is not the tenant’s own is not copied', async (t) => {
  const not = (given: MirroredObject, why: string) => t.equal(essenceOf(given, options), undefined, why)
  not(object('v1', 'Secret', { type: 'kubernetes.io/service-account-token' }), 'a token of one cluster')
  not(object('v1', 'Secret', { type: 'bootstrap.kubernetes.io/token' }), 'a token of one cluster')
  not(object('v1', 'ConfigMap', {}, { name: 'kube-root-ca.crt' }), 'the authority of one cluster')
  not(object('v1', 'ServiceAccount', { secrets: [{ name: 'token' }] }, { name: 'default' }), 'what every namespace has')
  const ours = { 'app.kubernetes.io/managed-by': 'gemeentecloud', 'gemeentecloud.nl/hosting': 'hst_1' }
  not(object('v1', 'ConfigMap', {}, { labels: ours }), 'what the desk keeps')
  const owner = { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster', controller: true }
  not(object('v1', 'Secret', {}, { ownerReferences: [owner] }), 'what its controller makes there as well')
  t.ok(
    essenceOf(object('v1', 'Secret', {}, { ownerReferences: [owner] }), { ...options, isMadeThere: () => false }),
    'what nobody makes there is copied',
  )
  t.ok(essenceOf(object('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'x' }] }, { name: 'default' }), options))
  t.same(essence(object('v1', 'ServiceAccount', { secrets: [{ name: 'token' }] })), object('v1', 'ServiceAccount'))
})

t.test('a standby holds back what its mode says', async (t) => {
  const web = object('apps/v1', 'Deployment', { spec: { replicas: 5 } })
  const at = (mode: Standing['mode'], warm?: number) => copyOf(essence(web), source, standing(mode, warm))
  t.match(at('cold'), { spec: { replicas: 0 }, metadata: { annotations: { 'gemeentecloud.nl/replicas': '5' } } })
  t.match(at('warm', 2), { spec: { replicas: 2 }, metadata: { annotations: { 'gemeentecloud.nl/replicas': '5' } } })
  t.match(at('warm', 9), { spec: { replicas: 5 } }, 'never more than there are')
  t.match(at('hot'), { spec: { replicas: 5 } })
  const scaled = copyOf(essence(web), source, standing('hot', 1, 'Deployment/web'))
  t.notOk(Object.hasOwn(JSON.parse(JSON.stringify(scaled)).spec, 'replicas'), 'an autoscaler sets them')
  t.match(copyOf(essence(web), source, standing('cold', 1, 'Deployment/web')), { spec: { replicas: 0 } })

  const job = object('batch/v1', 'CronJob', { spec: { suspend: false, schedule: '* * * * *' } })
  for (const mode of ['cold', 'warm', 'hot'] as const)
    t.match(copyOf(essence(job), source, standing(mode)), {
      spec: { suspend: true, schedule: '* * * * *' },
      metadata: { annotations: { 'gemeentecloud.nl/suspend': 'false' } },
    })
})

t.test('a copy says the same as the original, whatever it holds back', async (t) => {
  const objects = [
    object('apps/v1', 'Deployment', { spec: { replicas: 5, template: { spec: {} } } }),
    object('apps/v1', 'StatefulSet', { spec: { template: {} } }),
    object('batch/v1', 'CronJob', { spec: { suspend: true } }),
    object('v1', 'ConfigMap', { data: { a: '1' } }, { annotations: { mine: 'yes' } }),
  ]
  for (const mode of ['cold', 'warm', 'hot'] as const)
    for (const given of objects) {
      const copy = there(given, standing(mode))
      t.equal(digestOf(essence(copy)), digestOf(essence(given)), `${mode} ${given.kind}`)
      t.ok(isHeld(copy, standing(mode)))
    }
  const woken = {
    ...there(objects[0] as MirroredObject, standing('cold')),
    spec: { replicas: 5, template: { spec: {} } },
  }
  t.notOk(isHeld(woken, standing('cold')), 'one that runs at a cold standby is not held')
  t.equal(digestOf({ a: 1, b: { c: 2, d: [1, 2] } }), digestOf({ b: { d: [1, 2], c: 2 }, a: 1 }), 'order is nothing')
  t.not(digestOf({ a: [1, 2] }), digestOf({ a: [2, 1] }), 'but in a list')
})

t.test('what an autoscaler scales', async (t) => {
  const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } }
  t.same(scaledBy(object('autoscaling/v2', 'HorizontalPodAutoscaler', { spec })), { kind: 'Deployment', name: 'web' })
  t.equal(scaledBy(object('autoscaling/v2', 'HorizontalPodAutoscaler')), undefined)
})
