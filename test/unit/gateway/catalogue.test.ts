/** What several clusters share, and how clients are told of it. */
import t from 'tap'
import { type Groups, readGroups, sharedGroups } from '../../../services/gateway/catalogue.ts'
import {
  aggregatedDocument,
  groupList,
  groupNamed,
  resourceList,
} from '../../../services/gateway/discovery-documents.ts'

const all = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
const resource = (name: string, kind: string, scope = 'Namespaced', verbs = all, below: string[] = []) => ({
  resource: name,
  responseKind: { group: '', version: 'v1', kind },
  scope,
  singularResource: kind.toLowerCase(),
  verbs,
  ...(below.length > 0 && {
    subresources: below.map((subresource) => ({ subresource, responseKind: { kind }, verbs: ['get'] })),
  }),
})
const cluster = (core: object[], named: Record<string, object[]>): Groups =>
  readGroups([
    { items: [{ metadata: {}, versions: [{ version: 'v1', resources: core }] }] },
    {
      items: Object.entries(named).map(([path, resources]) => {
        const [name, version] = path.split('/')
        return { metadata: { name }, versions: [{ version, resources }] }
      }),
    },
  ])

const pods = resource('pods', 'Pod', 'Namespaced', all, ['log', 'exec', 'binding', 'proxy', 'status'])
const one = cluster(
  [
    pods,
    resource('nodes', 'Node', 'Cluster', all, ['proxy', 'status']),
    resource('persistentvolumes', 'PersistentVolume', 'Cluster'),
  ],
  {
    'apps/v1': [resource('deployments', 'Deployment')],
    'only.here/v1': [resource('things', 'Thing')],
    'scoped.example/v1': [resource('maybes', 'Maybe', 'Namespaced')],
  },
)
const two = cluster([resource('pods', 'Pod', 'Namespaced', ['get', 'list']), resource('nodes', 'Node', 'Cluster')], {
  'apps/v1': [resource('deployments', 'Deployment'), resource('newer', 'Newer')],
  'scoped.example/v1': [resource('maybes', 'Maybe', 'Cluster')],
})
const names = (groups: Groups) =>
  [...groups].flatMap(([path, { resources }]) => [...resources.keys()].map((name) => `${path} ${name}`))

t.test(
  'what all have, within namespaces; of the clusters themselves only what is looked at or answered here',
  async (t) => {
    t.same(names(sharedGroups([one, two])), [
      '/v1 pods',
      '/v1 nodes',
      '/v1 namespaces',
      'apps/v1 deployments',
      'hosting.gemeentecloud.nl/v1 hostingrequests',
      'authorization.k8s.io/v1 selfsubjectaccessreviews',
      'authorization.k8s.io/v1 selfsubjectrulesreviews',
      'authentication.k8s.io/v1 selfsubjectreviews',
      'authentication.k8s.io/v1 tokenreviews',
    ])
    const shared = sharedGroups([one, two]).get('/v1')?.resources
    t.same(shared?.get('pods')?.verbs, ['get', 'list'], 'what each of them allows')
    t.same(shared?.get('nodes')?.verbs, ['get', 'list', 'watch'])
    t.ok(names(sharedGroups([one])).includes('only.here/v1 things'))
  },
)

t.test('a caller without anything has what the gateway answers', async (t) => {
  t.ok(names(sharedGroups([])).includes('/v1 namespaces'))
  t.notOk(names(sharedGroups([])).includes('/v1 pods'))
})

t.test('the same in both forms of discovery', async (t) => {
  const groups = sharedGroups([one])
  t.match(resourceList(groups, '', 'v1'), {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      { name: 'pods', kind: 'Pod', namespaced: true },
      { name: 'pods/log' },
      { name: 'pods/exec' },
      { name: 'pods/status' },
      { name: 'nodes', namespaced: false, verbs: ['get', 'list', 'watch'] },
      { name: 'namespaces' },
    ],
  })
  t.notMatch(JSON.stringify(resourceList(groups, '', 'v1')), /binding|proxy|persistentvolumes/)
  t.notMatch(JSON.stringify(aggregatedDocument(groups, true)), /binding|proxy|persistentvolumes/)
  t.match(aggregatedDocument(groups, false), {
    kind: 'APIGroupDiscoveryList',
    items: [{ metadata: { name: 'apps' }, versions: [{ version: 'v1', resources: [{ resource: 'deployments' }] }] }],
  })
  t.match(groupList(groups), { groups: [{ name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } }] })
  t.match(groupNamed(groups, 'apps'), { kind: 'APIGroup', name: 'apps' })
  for (const none of ['', 'nergens']) t.equal(groupNamed(groups, none), undefined)
  t.equal(resourceList(groups, 'apps', 'v2'), undefined)
})

t.test('what a cluster says that is no discovery is nothing', async (t) => {
  for (const odd of [{}, { items: 'x' }, { items: [{}] }, { items: [{ versions: [{ resources: [{}] }] }] }])
    t.doesNotThrow(() => sharedGroups([readGroups([odd])]), JSON.stringify(odd))
})
