/** The objects that stand for a placement, and when a namespace is left alone. */
import t from 'tap'
import {
  desiredObjects,
  footingOf,
  quotaOf,
  type WantedPlacement,
} from '../../../services/broker/clusters/core/desired.ts'
import { covers, type KubernetesObject, keyOf } from '../../../services/broker/clusters/core/objects.ts'
import { objectCounts, tenantRoleReasons } from '../../../services/broker/clusters/core/tenant.ts'

const Gi = 2 ** 30
const amounts = {
  cpu: 2_500,
  memory: 6 * Gi,
  pods: 7,
  'nvidia.com/gpu': 1,
  'storage/snel': 20 * Gi,
  'storage/gedeeld': 10 * Gi,
}
const placement: WantedPlacement = {
  id: 'plc_1',
  hostingId: 'hst_1',
  name: 'open-zaak',
  partyId: 'pty_1',
  systemSlug: 'zaken',
  role: 'primary',
  activity: 'pinned',
  epoch: 3,
  amounts,
  running: amounts,
  volumes: 4,
}

const counts = Object.fromEntries(Object.entries(objectCounts).map(([what, count]) => [`count/${what}`, String(count)]))

t.test('the quota is exactly what was placed, and zero of what was not', async (t) => {
  t.same(quotaOf(placement), {
    'requests.cpu': '2500m',
    'requests.memory': '6Gi',
    'requests.nvidia.com/gpu': '1',
    'snel.storageclass.storage.k8s.io/requests.storage': '20Gi',
    'gedeeld.storageclass.storage.k8s.io/requests.storage': '10Gi',
    'requests.storage': '30Gi',
    persistentvolumeclaims: '4',
    pods: '7',
    'services.loadbalancers': '0',
    'services.nodeports': '0',
    ...counts,
  })
  const small = { cpu: 1_000, memory: Gi, pods: 1 }
  t.match(quotaOf({ amounts: small, running: small, volumes: 0 }), {
    'requests.storage': '0',
    persistentvolumeclaims: '0',
  })
})

t.test('a cold standby holds its objects and its room, but no pod', async (t) => {
  const { pods, ...rest } = quotaOf({ ...placement, running: {} })
  t.equal(pods, '0')
  t.same({ ...rest, pods: '7' }, quotaOf(placement))
})

t.test('a warm standby may run what is claimed for that and no more, and hold all its volumes', async (t) => {
  const quota = quotaOf({ ...placement, running: { cpu: 500, memory: Gi, pods: 2, 'storage/snel': 20 * Gi } })
  t.match(quota, { pods: '2', 'requests.cpu': '500m', 'requests.memory': '1Gi', 'requests.nvidia.com/gpu': '0' })
  const { 'requests.storage': storage, persistentvolumeclaims } = quota
  t.same({ storage, persistentvolumeclaims }, { storage: '30Gi', persistentvolumeclaims: '4' })
})

t.test('the namespace comes first and says whose it is', async (t) => {
  const [namespace] = desiredObjects(placement)
  t.same(namespace.metadata.labels, {
    'app.kubernetes.io/managed-by': 'gemeentecloud',
    'gemeentecloud.nl/hosting': 'hst_1',
    'gemeentecloud.nl/party': 'pty_1',
    'gemeentecloud.nl/role': 'primary',
    'gemeentecloud.nl/epoch': '3',
    'gemeentecloud.nl/activity': 'pinned',
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/enforce-version': 'v1.30',
    'pod-security.kubernetes.io/warn': 'restricted',
    'pod-security.kubernetes.io/warn-version': 'v1.30',
    'pod-security.kubernetes.io/audit': 'restricted',
    'pod-security.kubernetes.io/audit-version': 'v1.30',
  })
})

t.test('everything stands in the namespace, is marked as ours and has a name of its own', async (t) => {
  const [, ...inside] = desiredObjects(placement)
  t.same(
    inside.map((object) => keyOf(object)),
    [
      'ResourceQuota/open-zaak/gemeentecloud',
      'LimitRange/open-zaak/gemeentecloud',
      'NetworkPolicy/open-zaak/gemeentecloud-default-deny',
      'NetworkPolicy/open-zaak/gemeentecloud-same-namespace',
      'NetworkPolicy/open-zaak/gemeentecloud-dns',
      'RoleBinding/open-zaak/gemeentecloud-consumer',
      'RoleBinding/open-zaak/gemeentecloud-auditor',
    ],
  )
  for (const object of inside)
    t.match(object.metadata.labels, {
      'app.kubernetes.io/managed-by': 'gemeentecloud',
      'gemeentecloud.nl/hosting': 'hst_1',
    })
  const find = (key: string) => inside.find((object) => keyOf(object).endsWith(key))
  t.same(
    find('default-deny')?.spec,
    { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    'no rule at all denies both ways',
  )
  t.match(find('consumer'), {
    roleRef: { name: 'gemeentecloud-tenant' },
    subjects: [{ kind: 'Group', name: 'gc:pty_1:consumer' }],
  })
  t.match(find('auditor'), { roleRef: { name: 'view' }, subjects: [{ kind: 'Group', name: 'gc:pty_1:auditor' }] })
  t.notMatch(JSON.stringify(inside), /system:/)
  t.same(find('LimitRange/open-zaak/gemeentecloud')?.spec, {
    limits: [{ type: 'Container', defaultRequest: { cpu: '50m', memory: '64Mi' } }],
  })
})

const namespace = (labels: Record<string, string> | undefined, more: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'open-zaak', uid: 'u1', ...(labels && { labels }), ...more },
})
const ours = { 'gemeentecloud.nl/hosting': 'hst_1', 'gemeentecloud.nl/epoch': '3' }

t.test('only a namespace of this very hosting is touched, and none that is newer', async (t) => {
  t.same(footingOf(undefined, placement), { verdict: 'free' })
  t.same(footingOf(namespace(ours), placement), { verdict: 'ours', uid: 'u1' })
  t.match(footingOf(namespace(undefined), placement), { verdict: 'conflict', reason: /of its own/ })
  const marked = { annotations: { 'gemeentecloud.nl/placement': placement.id } }
  t.same(footingOf(namespace(undefined, marked), placement), { verdict: 'ours', uid: 'u1' }, 'its label was taken off')
  const others = { annotations: { 'gemeentecloud.nl/placement': 'plc_other' } }
  t.match(footingOf(namespace(undefined, others), placement), { verdict: 'conflict' })
  t.match(footingOf(namespace({ 'gemeentecloud.nl/hosting': 'hst_2' }, marked), placement), { verdict: 'conflict' })
  t.match(footingOf(namespace({ 'gemeentecloud.nl/hosting': 'hst_2' }), placement), {
    verdict: 'conflict',
    reason: /hst_2/,
  })
  t.match(footingOf(namespace({ ...ours, 'gemeentecloud.nl/epoch': '4' }), placement), {
    verdict: 'conflict',
    reason: /epoch 4/,
  })
  t.same(footingOf(namespace({ ...ours, 'gemeentecloud.nl/epoch': '2' }), placement), { verdict: 'ours', uid: 'u1' })
  t.same(footingOf(namespace(ours, { deletionTimestamp: '2026-01-01T00:00:00Z' }), placement), {
    verdict: 'terminating',
  })
  t.match(footingOf(namespace(undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }), placement), {
    verdict: 'conflict',
  })
})

t.test('what stands covers what is wanted when it has all of it, whatever more it has', async (t) => {
  const [, quota] = desiredObjects(placement)
  const standing: any = structuredClone(quota)
  standing.metadata.uid = 'u9'
  standing.status = { used: {} }
  t.ok(covers(standing, quota))
  standing.spec.hard['requests.cpu'] = '99'
  t.notOk(covers(standing, quota))
  t.notOk(covers(undefined, quota))
  t.notOk(covers({ rules: [1, 2] }, { rules: [1] }), 'a longer list is another list')
  t.ok(covers({ from: [{ podSelector: {} }] }, { from: [{ podSelector: {} }] }))
})

t.test('a role by which tenants could undo their bounds is not handed out', async (t) => {
  const role = (...rules: object[]) => ({ apiVersion: 'x', kind: 'ClusterRole', metadata: { name: 'r' }, rules })
  const rule = (group: string, resource: string, ...verbs: string[]) => ({
    apiGroups: [group],
    resources: ['pods', resource],
    verbs,
  })
  const policies = ['networking.k8s.io', 'networkpolicies'] as const
  t.same(tenantRoleReasons(role(rule('', 'secrets', '*'), rule(...policies, 'get', 'list', 'watch'))), [])
  t.same(tenantRoleReasons({ apiVersion: 'x', kind: 'ClusterRole', metadata: { name: 'r' } }), [], 'without rules')
  t.match(tenantRoleReasons(undefined), [/has no ClusterRole gemeentecloud-tenant/])
  t.match(tenantRoleReasons(role(rule(...policies, 'get', 'create'))), [/lets tenants change networkpolicies$/])
  t.match(tenantRoleReasons(role(rule('*', 'networkpolicies', 'patch'))), [/networkpolicies$/])
  t.match(tenantRoleReasons(role(rule('', 'namespaces', 'update'), rule('', '*', 'delete'))), [
    /namespaces, resourcequotas, limitranges$/,
  ])
  t.match(tenantRoleReasons(role(rule('rbac.authorization.k8s.io', '*', '*'))), [/roles, rolebindings$/])
})
