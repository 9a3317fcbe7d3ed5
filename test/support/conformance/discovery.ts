/** What a client learns before it asks for anything: health, version, groups and resources, in both forms of discovery. */
import type { Part } from './world.ts'

const groups = [
  'apps',
  'batch',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'authorization.k8s.io',
  'policy',
  'coordination.k8s.io',
]
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export const discovery: Part = async (t, { api }) => {
  await t.test('health and version', async (t) => {
    for (const path of ['/livez', '/readyz', '/healthz'])
      t.match(await api.get(path), { status: 200, body: 'ok' }, path)
    t.match((await api.get('/version')).body, {
      major: '1',
      minor: /^\d+/,
      gitVersion: /^v1\.\d+\.\d+/,
      platform: /\//,
    })
  })

  await t.test('groups', async (t) => {
    t.match((await api.get('/api')).body, { kind: 'APIVersions', versions: ['v1'] })
    const { kind, groups: found } = (await api.get('/apis')).body
    t.equal(kind, 'APIGroupList')
    t.strictSame(
      missing(
        groups,
        found.map((group: any) => group.name),
      ),
      [],
    )
    const apps = { groupVersion: 'apps/v1', version: 'v1' }
    const appsGroup = found.find((group: any) => group.name === 'apps')
    t.match(appsGroup, { versions: [apps], preferredVersion: apps })
    t.match((await api.get('/apis/apps')).body, { kind: 'APIGroup', name: 'apps', preferredVersion: apps })
  })

  await t.test('resources of a version', async (t) => {
    const core = (await api.get('/api/v1')).body
    t.match(core, { kind: 'APIResourceList', groupVersion: 'v1' })
    const named = (list: any, name: string) => list.resources.find((resource: any) => resource.name === name)
    t.match(named(core, 'namespaces'), {
      kind: 'Namespace',
      namespaced: false,
      singularName: 'namespace',
      shortNames: ['ns'],
    })
    t.match(named(core, 'pods'), { kind: 'Pod', namespaced: true, shortNames: ['po'] })
    t.strictSame(missing(verbs, named(core, 'pods').verbs), [])
    t.match(named(core, 'resourcequotas'), { shortNames: ['quota'] })
    t.match(named(core, 'pods/status'), { kind: 'Pod', namespaced: true })
    const apps = (await api.get('/apis/apps/v1')).body
    t.match(named(apps, 'deployments'), { kind: 'Deployment', shortNames: ['deploy'] })
    t.match(named(apps, 'deployments/scale'), { group: 'autoscaling', version: 'v1', kind: 'Scale' })
  })

  await t.test('aggregated, as kubectl and client-go ask for it', async (t) => {
    for (const [path, group, resource, kind] of [
      ['/api', '', 'pods', 'Pod'],
      ['/apis', 'apps', 'deployments', 'Deployment'],
    ] as const) {
      const { status, headers, body } = await api.ask('GET', path, { accept: `${aggregated},application/json;q=0.9` })
      t.equal(status, 200)
      t.match(headers['content-type'], /g=apidiscovery\.k8s\.io;v=v2;as=APIGroupDiscoveryList/)
      t.match(body, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
      const item = body.items.find((one: any) => (one.metadata?.name ?? '') === group)
      t.match(item.versions[0], { version: 'v1', freshness: 'Current' })
      const found = item.versions[0].resources.find((one: any) => one.resource === resource)
      t.match(found, {
        responseKind: { kind },
        scope: 'Namespaced',
        singularResource: kind.toLowerCase(),
      })
      t.strictSame(missing(verbs, found.verbs), [])
      t.ok(found.subresources.some(({ subresource }: any) => subresource === 'status'))
    }
  })

  await t.test('what is not there', async (t) => {
    for (const path of ['/apis/none.example', '/apis/none.example/v1', '/apis/apps/v9', '/none']) {
      t.equal((await api.get(path)).status, 404, path)
    }
    const unknown = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }
    t.match(await api.get('/api/v1/nones'), { status: 404, body: unknown })
    t.match((await api.get('/api/v1/nones')).body.message, /could not find the requested resource/)
  })
}

const missing = (wanted: readonly string[], present: readonly string[]) =>
  wanted.filter((one) => !present.includes(one))
