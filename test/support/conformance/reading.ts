/** Lists: pages of one moment, selectors, all namespaces, and the table that kubectl prints. */
import { configMap, pod } from './manifests.ts'
import type { Part } from './world.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

export const reading: Part = async (t, { api, space }) => {
  const { name: namespace, core } = await space(t)
  const path = `${core}/configmaps`
  const labels = [{ tier: 'web', app: 'a' }, { tier: 'web', app: 'b' }, { tier: 'data', app: 'a' }, { app: 'c' }, {}]
  for (const [index, each] of labels.entries()) {
    await api.need('POST', path, configMap(`m${index}`, {}, { labels: { ours: 'yes', ...each } }))
  }
  const list = async (query: string) => (await api.get(`${path}?${query}`)).body
  const names = (body: any) => body.items.map((item: any) => item.metadata.name)

  await t.test('a list', async (t) => {
    const body = await list('')
    t.match(body, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: /^\d+$/ } })
    t.strictSame(names(body), ['kube-root-ca.crt', 'm0', 'm1', 'm2', 'm3', 'm4'])
    t.notOk(body.metadata.continue)
    t.strictSame(names(await list('resourceVersion=0')).length, 6, 'from the cache of the server')
    const all = (await api.get('/api/v1/configmaps?labelSelector=ours')).body
    t.strictSame(names(all), ['m0', 'm1', 'm2', 'm3', 'm4'], 'over all namespaces')
    t.equal(all.items[0].metadata.namespace, namespace)
    t.strictSame((await api.get('/api/v1/namespaces/none/configmaps')).body.items, [])
  })

  await t.test('label selectors', async (t) => {
    for (const [selector, expected] of [
      ['tier=web', ['m0', 'm1']],
      ['tier==web,app=b', ['m1']],
      ['ours,tier!=web', ['m2', 'm3', 'm4']],
      ['tier', ['m0', 'm1', 'm2']],
      ['ours,!tier', ['m3', 'm4']],
      ['app in (a, c)', ['m0', 'm2', 'm3']],
      ['ours,app notin (a,b)', ['m3', 'm4']],
      ['tier=none', []],
    ] as const) {
      t.strictSame(names(await list(`labelSelector=${encodeURIComponent(selector)}`)), expected, selector)
    }
    t.match(await list('labelSelector=%3D%3D'), { code: 400, reason: 'BadRequest' })
  })

  await t.test('field selectors', async (t) => {
    t.strictSame(names(await list('fieldSelector=metadata.name%3Dm2')), ['m2'])
    t.strictSame(names(await list('fieldSelector=metadata.name!%3Dm2&labelSelector=tier')), ['m0', 'm1'])
    const elsewhere = `/api/v1/configmaps?fieldSelector=metadata.namespace%3D${namespace}&labelSelector=tier%3Ddata`
    t.strictSame(names((await api.get(elsewhere)).body), ['m2'])
    t.match(await list('fieldSelector=data.a%3D1'), { code: 400, reason: 'BadRequest' })
    await api.need('POST', `${core}/pods`, { ...pod('waits', { cpu: '1000' }) })
    const pods = async (selector: string) =>
      names((await api.get(`${core}/pods?fieldSelector=${encodeURIComponent(selector)}`)).body)
    t.strictSame(await pods('spec.nodeName='), ['waits'])
    t.strictSame(await pods('spec.nodeName!='), [])
    t.strictSame(await pods('status.phase=Pending'), ['waits'])
    t.strictSame(await pods('status.phase!=Pending'), [])
  })

  await t.test('pages are of one moment', async (t) => {
    const first = await list('limit=3')
    t.strictSame(names(first), ['kube-root-ca.crt', 'm0', 'm1'])
    t.equal(first.metadata.remainingItemCount, 3)
    await api.need('POST', path, configMap('m22'))
    await api.need('DELETE', `${path}/m4`)
    const token = encodeURIComponent(first.metadata.continue)
    const second = await list(`limit=2&continue=${token}`)
    t.strictSame(names(second), ['m2', 'm3'], 'without what came after the first page')
    const last = await list(`limit=2&continue=${encodeURIComponent(second.metadata.continue)}`)
    t.strictSame(names(last), ['m4'], 'with what went after the first page')
    t.notOk(last.metadata.continue)
    t.equal(last.metadata.resourceVersion, first.metadata.resourceVersion)
    t.match(await list('limit=2&continue=nonsense'), { code: 400, reason: 'BadRequest' })
    t.strictSame(names(await list('limit=500')).length, 6)
  })

  await t.test('as a table', async (t) => {
    const { body } = await api.ask('GET', `${path}?limit=2`, { accept: `${table},application/json` })
    t.match(body, {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: String, continue: String },
    })
    t.equal(body.columnDefinitions[0].name, 'Name')
    t.match(body.columnDefinitions[0], { type: 'string', format: 'name', priority: 0 })
    t.match(body.rows[0].cells[0], 'kube-root-ca.crt')
    t.match(body.rows[0].object, { kind: 'PartialObjectMetadata', metadata: { name: 'kube-root-ca.crt', namespace } })
    const one = (await api.ask('GET', `${path}/m1`, { accept: table })).body
    t.match(one, { kind: 'Table', rows: [{ cells: ['m1'] }] })
  })
}
