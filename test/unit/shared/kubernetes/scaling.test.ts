/** What rest and waking change of each kind of workload, that waking gives back what was, and which pods may still run. */
import t from 'tap'
import type { KubernetesObject } from '../../../../services/shared/kubernetes/index.ts'
import { mayRun, workloads } from '../../../../services/shared/kubernetes/index.ts'

function of(kind: string, spec: object, metadata: object = {}, status: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'web', resourceVersion: '7', ...metadata }, spec, status }
}

const kindOf = (kind: string) => {
  const found = workloads.find((workload) => workload.kind === kind)
  if (!found) throw new Error(kind)
  return found
}

/** As a JSON merge patch does it. */
function patched(target: any, change: any): any {
  if (typeof change !== 'object' || change === null) return change
  const result = { ...target }
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete result[name]
    else result[name] = patched(result[name], value)
  }
  return result
}

t.test('what is scaled or suspended is given back as it was', async (t) => {
  const cases: [string, object, object][] = [
    ['Deployment', { replicas: 3 }, { replicas: 0 }],
    ['StatefulSet', {}, { replicas: 0 }],
    ['ReplicaSet', { replicas: 2 }, { replicas: 0 }],
    ['CronJob', { schedule: '0 3 * * *' }, { schedule: '0 3 * * *', suspend: true }],
    ['Job', { suspend: false }, { suspend: true }],
  ]
  for (const [kind, spec, resting] of cases) {
    const { rest, wake } = kindOf(kind)
    const object = of(kind, spec)
    const atRest = patched(object, rest(object))
    t.same(atRest.spec, resting, kind)
    t.equal(rest(atRest), undefined, `${kind} is left alone the second time`)
    const awake = patched(atRest, wake(atRest, '1.1'))
    const { replicas = 1, suspend = false } = spec as { replicas?: number; suspend?: boolean }
    t.match(awake.spec, 'replicas' in resting ? { replicas } : { suspend })
    t.same(awake.metadata.annotations, {}, 'nothing of it stays')
    t.equal(wake(awake, '1.1'), undefined)
    t.match(rest(object), { metadata: { resourceVersion: '7' } }, 'not over a change that was not seen')
  }
})

t.test('what its owner put to rest stays at rest, and what he woke meanwhile stays as he wants it', async (t) => {
  t.equal(kindOf('Deployment').rest(of('Deployment', { replicas: 0 })), undefined)
  t.equal(kindOf('Deployment').wake(of('Deployment', { replicas: 0 }), '1.1'), undefined)
  t.equal(kindOf('CronJob').rest(of('CronJob', { suspend: true })), undefined)
  t.equal(kindOf('CronJob').wake(of('CronJob', { suspend: true }), '1.1'), undefined)
  const annotations = { 'gemeentecloud.nl/replicas': '2' }
  const woken = of('Deployment', { replicas: 5 }, { annotations })
  t.equal(patched(woken, kindOf('Deployment').wake(woken, '1.1')).spec.replicas, 5)
  const broken = of('Deployment', { replicas: 0 }, { annotations: { 'gemeentecloud.nl/replicas': 'many' } })
  t.equal(patched(broken, kindOf('Deployment').wake(broken, '1.1')).spec.replicas, 0)
  const done = of('Job', {}, {}, { conditions: [{ type: 'Complete', status: 'True' }] })
  t.equal(kindOf('Job').rest(done), undefined, 'a job that is finished has nothing to stop')
  const follows = { ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }] }
  t.equal(kindOf('ReplicaSet').rest(of('ReplicaSet', { replicas: 2 }, follows)), undefined)
})

t.test('a daemon set is touched once an epoch, so that its controller looks again', async (t) => {
  const { rest, wake } = kindOf('DaemonSet')
  const set = of('DaemonSet', {})
  t.equal(rest(set), undefined)
  const touched = patched(set, wake(set, '1.2'))
  t.equal(wake(touched, '1.2'), undefined)
  t.ok(wake(touched, '1.3'))
})

t.test('a pod counts until its node has told that each of its containers ended', async (t) => {
  const two = { containers: [{}, {}] }
  const ended = { state: { terminated: { exitCode: 0 } } }
  const runs = { state: { running: {} } }
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' }
  const cases: [boolean, object, object][] = [
    [true, {}, { phase: 'Pending' }],
    [true, {}, { phase: 'Running', containerStatuses: [runs, runs] }],
    [true, {}, { phase: 'Running', containerStatuses: [ended, ended] }],
    [true, {}, { phase: 'Unknown' }],
    [false, {}, { phase: 'Succeeded' }],
    [false, {}, { phase: 'Failed' }],
    [true, going, { phase: 'Running', containerStatuses: [runs, ended] }],
    [true, going, { phase: 'Running', containerStatuses: [ended] }],
    [true, going, { phase: 'Running' }],
    [true, going, { containerStatuses: [ended, ended], initContainerStatuses: [runs] }],
    [false, going, { phase: 'Running', containerStatuses: [ended, ended], initContainerStatuses: [ended] }],
  ]
  for (const [expected, metadata, status] of cases) {
    t.equal(mayRun(of('Pod', two, metadata, status)), expected, JSON.stringify({ metadata, status }))
  }
})
