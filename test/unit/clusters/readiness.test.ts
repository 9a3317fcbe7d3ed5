/** Whether what is to run in a namespace does: of each kind, after the last change, and not while it is held back. */
import t from 'tap'
import { readinessOf } from '../../../services/broker/clusters/core/readiness.ts'

const workload = (kind: string, spec: object, status: object, metadata: object = {}) => ({
  kind,
  metadata: { name: 'web', generation: 2, ...metadata },
  spec,
  status: { observedGeneration: 2, ...status },
})
const of = (...workloads: ReturnType<typeof workload>[]) => readinessOf(workloads, [])

t.test('all replicas of all kinds', async (t) => {
  t.same(of(), { wanted: 0, waiting: [], heldBack: 0 })
  t.same(of(workload('Deployment', { replicas: 2 }, { readyReplicas: 2 })), { wanted: 1, waiting: [], heldBack: 0 })
  t.same(of(workload('StatefulSet', { replicas: 2 }, { readyReplicas: 1 })).waiting, ['StatefulSet web (1 of 2)'])
  t.same(of(workload('Deployment', {}, {})).waiting, ['Deployment web (0 of 1)'], 'one where none is said')
  t.same(of(workload('Deployment', { replicas: 0 }, {})).wanted, 0, 'who wants none is ready')
  t.same(of(workload('DaemonSet', {}, { desiredNumberScheduled: 3, numberReady: 2 })).waiting, [
    'DaemonSet web (2 of 3)',
  ])
})

t.test('what is told of before the last change says nothing', async (t) => {
  const before = { observedGeneration: 1, readyReplicas: 2 }
  t.same(of(workload('Deployment', { replicas: 2 }, before)).waiting, ['Deployment web (2 of 2)'])
})

t.test('what is held back is not ready, however little it wants', async (t) => {
  const held = { annotations: { 'gemeentecloud.nl/replicas': '2' } }
  const none = { annotations: { 'gemeentecloud.nl/replicas': '0' } }
  const asleep = of(workload('Deployment', { replicas: 0 }, {}, held))
  t.same(asleep, { wanted: 1, waiting: ['Deployment web (held back)'], heldBack: 1 })
  t.same(of(workload('Deployment', { replicas: 0 }, {}, none)), { wanted: 0, waiting: [], heldBack: 0 })
})

t.test('pods say why, as long as something waits', async (t) => {
  const waiting = { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] }
  const unplaced = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }
  const pods = [waiting, unplaced].map((status, n) => ({ kind: 'Pod', metadata: { name: `web-${n}` }, status }))
  const late = readinessOf([workload('Deployment', { replicas: 1 }, {})], pods)
  t.same(late.waiting, ['Deployment web (0 of 1)', 'pod web-0: ImagePullBackOff', 'pod web-1: Unschedulable'])
  t.same(readinessOf([workload('Deployment', { replicas: 1 }, { readyReplicas: 1 })], pods).waiting, [])
})
