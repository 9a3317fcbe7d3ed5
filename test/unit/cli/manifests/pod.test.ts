/** What one pod asks: containers, sidecars and init containers as Kubernetes adds them up, and whether it wants a node alone. */
import t from 'tap'
import { count, errorsOf, workload } from './count.ts'

const container = (cpu: string, memory: string, more = '') =>
  `{name: c, ${more} resources: {requests: {cpu: ${cpu}, memory: ${memory}}}}`
const pod = (spec: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: p, tier: web}}\nspec: {${spec}}`
const requestsOf = async (spec: string, options = {}) => (await count(pod(spec), options)).components[0]?.requests

t.test('what runs together is added, what runs before only counts when it needs more', async (t) => {
  t.same(await requestsOf(`containers: [${container('100m', '64Mi')}, ${container('200m', '64Mi')}]`), {
    cpu: '300m',
    memory: '128Mi',
  })
  const main = `containers: [${container('500m', '512Mi')}]`
  t.same(await requestsOf(`${main}, initContainers: [${container('2', '128Mi')}]`), { cpu: '2', memory: '512Mi' })
  t.same(
    await requestsOf(`${main}, initContainers: [${container('2', '1Gi')}, ${container('1', '2Gi')}]`),
    { cpu: '2', memory: '2Gi' },
    'one after the other: the largest of each, not the sum',
  )
})

t.test('sidecars run beside all that is started after them', async (t) => {
  const sidecar = container('100m', '100Mi', 'restartPolicy: Always,')
  const main = `containers: [${container('500m', '500Mi')}]`
  t.same(await requestsOf(`${main}, initContainers: [${sidecar}]`), { cpu: '600m', memory: '600Mi' })
  const heavy = container('1', '100Mi')
  t.same(
    await requestsOf(`${main}, initContainers: [${sidecar}, ${heavy}]`),
    { cpu: '1100m', memory: '600Mi' },
    'beside the init container',
  )
  t.same(
    await requestsOf(`${main}, initContainers: [${heavy}, ${sidecar}]`),
    { cpu: '1', memory: '600Mi' },
    'not beside one before it',
  )
})

t.test('limits stand in for requests, overhead is added, requests of the pod as a whole win', async (t) => {
  t.same(await requestsOf('containers: [{name: c, resources: {limits: {cpu: 1, memory: 1Gi}}}]'), {
    cpu: '1',
    memory: '1Gi',
  })
  t.same(await requestsOf('containers: [{name: c, resources: {limits: {cpu: 2, memory: 1Gi}, requests: {cpu: 1}}}]'), {
    cpu: '1',
    memory: '1Gi',
  })
  t.same(await requestsOf(`overhead: {cpu: 50m, memory: 20Mi}, containers: [${container('100m', '64Mi')}]`), {
    cpu: '150m',
    memory: '84Mi',
  })
  t.same(await requestsOf('resources: {requests: {cpu: 2, memory: 4Gi}}, containers: [{name: c}]'), {
    cpu: '2',
    memory: '4Gi',
  })
  const gpu = 'containers: [{name: c, resources: {requests: {cpu: 1, memory: 1Gi}, limits: {nvidia.com/gpu: 2}}}]'
  t.same(await requestsOf(gpu), { 'nvidia.com/gpu': '2', cpu: '1', memory: '1Gi' })
  t.same(await requestsOf('containers: [{name: c, resources: {requests: {cpu: 0.5, memory: 1e9}}}]'), {
    cpu: '500m',
    memory: '1000000000',
  })
})

t.test('a container without requests is named and refused, unless a default is given', async (t) => {
  const bare = pod(
    `containers: [{name: app}, ${container('1', '1Gi')}], initContainers: [{name: init, resources: {requests: {cpu: 1}}}]`,
  )
  t.same(await errorsOf(bare), [
    'Pod/p, container app: no request for cpu and memory; add it, or give --default-cpu and --default-memory',
    'Pod/p, container init: no request for memory; add it, or give --default-memory',
  ])
  t.match(await errorsOf(bare, { defaultRequests: { cpu: '1' } }), [
    /app: no request for memory/,
    /init: no request for memory/,
  ])
  const defaultRequests = { cpu: '250m', memory: '128Mi' }
  t.same((await count(bare, { defaultRequests })).components[0]?.requests, { cpu: '1250m', memory: '1152Mi' })
  t.same(await errorsOf(workload('Deployment', 'w').replace(/containers: .*/, 'containers: []')), [
    'Deployment/w has no containers',
  ])
  t.match(await errorsOf(pod('containers: [{name: c, resources: {requests: {cpu: lots, memory: -1Gi}}}]')), [
    /cpu "lots" is not/,
    /memory .*below zero/,
  ])
})

const pair = (pod: string, spec = 'replicas: 2') => workload('Deployment', 'web', { spec, pod })
const together = (rule: string, kind = 'requiredDuringSchedulingIgnoredDuringExecution') =>
  `affinity: {podAntiAffinity: {${kind}: [${rule}]}}`
const apart = (selector: string, key = 'kubernetes.io/hostname') =>
  together(`{topologyKey: ${key}, labelSelector: ${selector}}`)

t.test('one per node: required anti-affinity with itself, or a port of the node', async (t) => {
  const alone = async (yaml: string) => (await count(yaml)).components[0]?.onePerNode === true
  t.ok(await alone(pair(apart('{matchLabels: {app: web}}'))))
  t.ok(await alone(pair(apart('{}'))), 'an empty selector selects everything')
  t.notOk(await alone(pair(apart('{matchLabels: {app: web}}'), 'replicas: 1')), 'one is alone anyway')
  t.notOk(await alone(pair(apart('{matchLabels: {app: other}}'))), 'apart from others, not from itself')
  t.notOk(await alone(pair(apart('{matchLabels: {app: web}}', 'topology.kubernetes.io/zone'))), 'one per zone')
  const rule = '{weight: 1, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {}}}'
  t.notOk(await alone(pair(together(rule, 'preferredDuringSchedulingIgnoredDuringExecution'))), 'only if possible')
  for (const [operator, values, expected] of [
    ['In', '[web, q]', true],
    ['In', '[q]', false],
    ['NotIn', '[q]', true],
    ['NotIn', '[web]', false],
    ['Exists', '[]', true],
    ['DoesNotExist', '[]', false],
    ['Nonsense', '[]', false],
  ] as const) {
    const yaml = pair(apart(`{matchExpressions: [{key: app, operator: ${operator}, values: ${values}}]}`))
    t.equal(await alone(yaml), expected, `${operator} ${values}`)
  }
  const port = (text: string, pod = '') =>
    pair(pod).replace('{name: app,', `{name: app, ports: [{containerPort: 1${text}}],`)
  t.ok(await alone(port(', hostPort: 80')), 'a port of the node')
  t.ok(await alone(port('', 'hostNetwork: true')), 'all ports of the node')
  t.notOk(await alone(port('')), 'a port of its own')
})

t.test('a wish for certain nodes, or for spreading, is noted', async (t) => {
  const notesOf = async (pod: string) => (await count(pair(pod))).notes
  t.match(await notesOf('nodeSelector: {disk: ssd}'), [/^Deployment\/web wants certain nodes \(nodeSelector\)/])
  t.match(await notesOf('nodeName: n1'), [/\(nodeName\)/])
  const terms = 'requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}'
  t.match(await notesOf(`affinity: {nodeAffinity: {${terms}}}`), [/\(node affinity\)/])
  const spread = (how: string) =>
    `topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ${how}, labelSelector: {}}]`
  t.match(await notesOf(spread('DoNotSchedule')), [/\(topology spread\)/])
  t.same(await notesOf(spread('ScheduleAnyway')), [])
  t.same(await notesOf('affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}'), [])
})
