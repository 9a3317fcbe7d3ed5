/** The three kinds of patch, each with what it can do that the others cannot. */
import { configMap, container, deployment } from './manifests.ts'
import type { Part } from './world.ts'

export const patching: Part = async (t, { api, space }) => {
  const { core, apps } = await space(t)
  const path = `${core}/configmaps/one`
  await api.need('POST', `${core}/configmaps`, configMap('one', { a: '1', b: '1' }))

  await t.test('JSON patch', async (t) => {
    const patch = (...operations: object[]) => api.patch(path, 'json', operations)
    const { status, body } = await patch(
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'replace', path: '/data/a', value: '2' },
      { op: 'add', path: '/data/c', value: '1' },
      { op: 'remove', path: '/data/b' },
      { op: 'add', path: '/metadata/annotations', value: { 'example.org/x': '1' } },
      { op: 'copy', from: '/data/c', path: '/data/d' },
      { op: 'move', from: '/data/c', path: '/data/e' },
    )
    t.equal(status, 200)
    t.strictSame(body.data, { a: '2', d: '1', e: '1' })
    await patch({ op: 'remove', path: '/metadata/annotations/example.org~1x' })
    t.strictSame((await api.get(path)).body.metadata.annotations ?? {}, {})
    const before = (await api.get(path)).body
    const failed = await patch({ op: 'add', path: '/data/z', value: '1' }, { op: 'test', path: '/data/a', value: '9' })
    t.match(failed, { status: 422, body: { reason: 'Invalid' } })
    t.match(await patch({ op: 'remove', path: '/data/none' }), { status: 422 })
    t.match(await api.patch(path, 'json', { op: 'add' }), { status: 400 })
    t.same((await api.get(path)).body, before, 'all or nothing')
  })

  await t.test('merge patch', async (t) => {
    const merge = (body: object) => api.patch(path, 'merge', body)
    const { body } = await merge({ data: { a: '3', d: null }, metadata: { labels: { x: 'y' } } })
    t.strictSame(body.data, { a: '3', e: '1' })
    t.strictSame(body.metadata.labels, { x: 'y' })
    const same = await merge({ data: { a: '3' } })
    t.equal(same.body.metadata.resourceVersion, body.metadata.resourceVersion, 'nothing changed')
    const stale = await merge({ metadata: { resourceVersion: '1' }, data: { a: '4' } })
    t.match(stale, { status: 409, body: { reason: 'Conflict' } })
    t.match(await api.patch(`${core}/configmaps/none`, 'merge', { data: {} }), { status: 404 })
    t.match(await merge({ metadata: { name: 'two' } }), { status: 400 })
  })

  await t.test('strategic merge patch', async (t) => {
    const at = `${apps}/deployments/web`
    await api.need('POST', `${apps}/deployments`, deployment('web', 0))
    const containers = async (type: 'strategic' | 'merge', list: object[]) => {
      const { status, body } = await api.patch(at, type, { spec: { template: { spec: { containers: list } } } })
      t.equal(status, 200)
      return body.spec.template.spec.containers
    }
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '1' },
    ]
    const named = (list: any[]) => list.map((one) => one.name).sort()
    const added = await containers('strategic', [container(undefined, 'sidecar'), { name: 'web', env }])
    t.strictSame(named(added), ['sidecar', 'web'], 'containers are merged by name')
    const web = (list: any[]) => list.find((one) => one.name === 'web')
    t.match(web(added), { image: 'none', env })
    const changed = web(await containers('strategic', [{ name: 'web', env: [{ name: 'B', value: '2' }] }]))
    t.match(changed.env, [env[0], { name: 'B', value: '2' }], 'and variables within them')
    t.strictSame(named(await containers('strategic', [{ name: 'sidecar', $patch: 'delete' }])), ['web'])
    t.strictSame(named(await containers('merge', [container(undefined, 'only')])), ['only'], 'a merge patch replaces')
  })

  await t.test('other media', async (t) => {
    const contentType = 'application/json'
    t.match(await api.ask('PATCH', path, { body: {}, contentType }), { status: 415 })
  })
}
