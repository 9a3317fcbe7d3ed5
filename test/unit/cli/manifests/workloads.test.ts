/** Which objects make pods and how many; what is left out is said, what cannot be had is refused by name. */
import t from 'tap'
import { count, errorsOf, workload } from './count.ts'

const one = { cpu: '100m', memory: '64Mi' }
const componentsOf = async (yaml: string, options = {}) =>
  (await count(yaml, options)).components.map(({ name, replicas }) => [name, replicas])

t.test('what runs all the time', async (t) => {
  const yaml =
    workload('Deployment', 'web', { spec: 'replicas: 3' }) +
    workload('StatefulSet', 'db') +
    workload('ReplicaSet', 'old', { spec: 'replicas: 2' }) +
    workload('ReplicationController', 'older', { apiVersion: 'v1' })
  const { components, notes } = await count(yaml)
  t.same(components, [
    { name: 'web', replicas: 3, requests: one },
    { name: 'db', replicas: 1, requests: one },
    { name: 'old', replicas: 2, requests: one },
    { name: 'older', replicas: 1, requests: one },
  ])
  t.same(notes, [])
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: lone}\nspec: {containers: [{resources: {requests: {cpu: 1, memory: 1Gi}}}]}'
  t.same((await count(pod)).components, [{ name: 'lone', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }])
})

t.test('replicas: none is left out, an autoscaler counts with its most, what is no number is refused', async (t) => {
  const none = workload('Deployment', 'idle', { spec: 'replicas: 0' }) + workload('Deployment', 'web')
  t.match(await count(none), { components: [{ name: 'web' }], notes: ['Deployment/idle has 0 replicas: left out'] })
  const scaler = (kind: string, most: number) => `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: ${most}, scaleTargetRef: {kind: ${kind}, name: web}}
`
  const web = workload('Deployment', 'web', { spec: 'replicas: 2' })
  t.same(await componentsOf(web + scaler('Deployment', 9)), [['web', 9]])
  t.match((await count(web + scaler('Deployment', 9))).notes, [/may be scaled to 9 replicas: counted with 9/])
  t.same(await componentsOf(web + scaler('Deployment', 1)), [['web', 2]], 'never less than asked')
  t.same(await componentsOf(web + scaler('StatefulSet', 9)), [['web', 2]], 'another kind of the same name')
  for (const replicas of ['"3"', '1.5', '-1', '{}'])
    t.match(await errorsOf(workload('Deployment', 'web', { spec: `replicas: ${replicas}` })), [
      /replicas is no whole number/,
    ])
})

t.test('work that ends is counted as if always, or left out', async (t) => {
  const job = workload('Job', 'load', { spec: 'parallelism: 4\n  completions: 3', apiVersion: 'batch/v1' })
  t.same(await componentsOf(job), [['load', 3]], 'never more at once than there is to do')
  const cron = `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate: {spec: {parallelism: 2, template: {spec: {containers: [{resources: {requests: {cpu: 1, memory: 1Gi}}}]}}}}
`
  t.same(await componentsOf(cron), [['nightly', 2]])
  t.match((await count(cron)).notes, [/--jobs leave-out/])
  const web = workload('Deployment', 'web')
  t.match(await count(web + job + cron, { jobs: 'leave-out' }), {
    components: [{ name: 'web' }],
    notes: [/Job\/load/, /CronJob\/nightly/],
  })
})

t.test('what a hosting cannot have', async (t) => {
  t.match(await errorsOf(workload('DaemonSet', 'logs')), [/^DaemonSet\/logs: a DaemonSet runs on every node/])
  t.match(await errorsOf('kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}'), [
    'these manifests make no pods, so there is nothing to host',
  ])
  t.match(await errorsOf('a: 1\n---\n- 2\n---\ntext'), [/^document 1 is no/, /^document 2 is no/, /^document 3 is no/])
  t.match(await errorsOf(''), [/nothing to host/])
})

t.test('what stands beside the pods', async (t) => {
  const web = workload('Deployment', 'web')
  const object = (apiVersion: string, kind: string) =>
    `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\n`
  const silent = [
    'v1 Service',
    'v1 ConfigMap',
    'v1 Secret',
    'networking.k8s.io/v1 Ingress',
    'policy/v1 PodDisruptionBudget',
  ]
  for (const each of silent) {
    const [apiVersion = '', kind = ''] = each.split(' ')
    t.same((await count(web + object(apiVersion, kind))).notes, [], each)
  }
  t.match((await count(web + object('rbac.authorization.k8s.io/v1', 'ClusterRole'))).notes, [
    /^ClusterRole\/x stands outside a namespace/,
  ])
  t.match((await count(web + object('postgresql.cnpg.io/v1', 'Cluster'))).notes, [
    /^Cluster\/x \(postgresql.cnpg.io\/v1\) is not counted/,
  ])
  const test =
    '---\napiVersion: v1\nkind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: "test"}}\nspec: {containers: [{}]}\n'
  t.match(await count(web + test), { components: [{ name: 'web' }], notes: [/test hook: left out/] })
  const hook = test.replace('"test"', '"pre-install,test"')
  t.match(await errorsOf(web + hook), [/Pod\/t, container/], 'a hook that also runs otherwise is counted')
  const spaces =
    web.replace('{name: web}', '{name: web, namespace: a}') +
    workload('Deployment', 'api').replace('{name: api}', '{name: api, namespace: b}')
  t.match((await count(spaces)).notes, [/namespaces a, b; a hosting is one/])
})

t.test('lists are opened, names are made unique and short enough', async (t) => {
  const template = '{containers: [{resources: {requests: {cpu: 1, memory: 1Gi}}}]}'
  const item = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: ${template}}}}`
  t.same(
    await componentsOf(
      `apiVersion: v1\nkind: List\nitems: [${item}, ${item.replace('Deployment', 'StatefulSet')}, ${item}]`,
    ),
    [
      ['web', 1],
      ['web-statefulset', 1],
      ['web-deployment', 1],
    ],
  )
  const long = `${'a'.repeat(62)}--tail`
  const [[name = ''] = []] = (await componentsOf(workload('Deployment', long))) as string[][]
  t.equal(name, 'a'.repeat(62), 'a DNS label ends in no dash')
  t.same(await componentsOf(workload('Deployment', '"Web.Site_1"')), [['web-site-1', 1]])
})
