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

const late = (pods: object[], events: object[] = [], status: object = {}, kind = 'Deployment') =>
  readinessOf(
    [workload(kind, { replicas: 2 }, status)],
    pods.map((each, n) => ({ kind: 'Pod', metadata: { name: `web-${n}` }, status: each })),
    events.map((each) => ({ kind: 'Event', metadata: {}, ...each })),
  ).waiting.slice(1)

t.test('the cluster says why: no node, no image, a crash, a probe', async (t) => {
  const message = '0/3 nodes are available: 3 Insufficient cpu.'
  const unplaced = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] }
  t.same(late([unplaced, unplaced]), [`pod web-0 and 1 more: Unschedulable: ${message}`])
  const image = { reason: 'ErrImagePull', message: 'pull access denied for registry.test/web' }
  t.same(late([{ containerStatuses: [{ name: 'web', state: { waiting: image } }] }]), [
    'pod web-0: ErrImagePull: pull access denied for registry.test/web',
  ])
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' }
  const ended = { exitCode: 1, reason: 'Error', message: 'no database\n' }
  const crashed = { name: 'web', state: { waiting }, lastState: { terminated: ended } }
  t.same(late([{ containerStatuses: [crashed] }]), [
    'pod web-0: CrashLoopBackOff: web ended with exit code 1 (Error) no database',
  ])
  const killed = { name: 'prepare', state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }
  t.same(late([{ initContainerStatuses: [killed] }]), ['pod web-0: prepare ended with exit code 137 (OOMKilled)'])
  const probed = { containerStatuses: [{ name: 'web', ready: false, state: { running: {} } }] }
  const about = { kind: 'Pod', name: 'web-0' }
  const event = { type: 'Warning', reason: 'Unhealthy', message: 'HTTP probe failed: 503', involvedObject: about }
  t.same(late([probed], [event, { ...event, type: 'Normal' }]), [
    'pod web-0: web runs and is not ready',
    'pod web-0: Unhealthy: HTTP probe failed: 503',
  ])
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], ...probed }
  t.same(late([ready], [event]), [], 'what is ready is in nobody’s way, and its events are of before')
  t.same(late([{ phase: 'Succeeded', containerStatuses: [killed] }]), [])
})

t.test('a quota that refuses pods, of each kind of workload', async (t) => {
  const message = 'pods "web-x" is forbidden: exceeded quota: gemeentecloud'
  const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }]
  t.same(late([], [], { conditions }), [`Deployment web: FailedCreate: ${message}`])
  const involvedObject = { kind: 'StatefulSet', name: 'web' }
  const event = { type: 'Warning', reason: 'FailedCreate', message, involvedObject }
  t.same(late([], [event, event], {}, 'StatefulSet'), [`StatefulSet web: FailedCreate: ${message}`])
  t.same(late([], [{ ...event, involvedObject: { kind: 'StatefulSet', name: 'gone' } }], {}, 'StatefulSet'), [])
})

t.test('what a cluster writes is kept short, plain and few', async (t) => {
  const waiting = (n: number) => ({ reason: 'ErrImagePull', message: `${n} \u0000\u001b[2J${'x'.repeat(900)}` })
  const many = Array.from({ length: 9 }, (_, n) => ({ containerStatuses: [{ state: { waiting: waiting(n) } }] }))
  const lines = late(many)
  t.equal(lines.length, 5)
  t.ok(lines.every((each) => each.length < 300 && !/\p{C}/u.test(each)))
})
