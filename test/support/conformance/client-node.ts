/** @kubernetes/client-node, the client that most programs in our language use, unchanged. */
import {
  ApiException,
  CoreV1Api,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  type V1ConfigMap,
} from '@kubernetes/client-node'
import { configMap } from './manifests.ts'
import { eventually, type Part } from './world.ts'

export const clientNode: Part = async (t, { config, space }) => {
  const { name: namespace } = await space(t)
  const core = config.makeApiClient(CoreV1Api)
  const codeOf = (error: unknown) => (error instanceof ApiException ? error.code : error)

  await t.test('typed calls', async (t) => {
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('typed', { a: '1' }) })
    t.ok(made.metadata?.creationTimestamp instanceof Date)
    const replaced = await core.replaceNamespacedConfigMap({
      namespace,
      name: 'typed',
      body: { ...made, data: { a: '2' } },
    })
    t.strictSame(replaced.data, { a: '2' })
    const stale = core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: made })
    t.equal(await stale.catch(codeOf), 409)
    t.equal((await core.readNamespacedConfigMap({ namespace, name: 'typed' })).metadata?.uid, made.metadata?.uid)
    const body = [{ op: 'add', path: '/data/b', value: '1' }]
    t.strictSame((await core.patchNamespacedConfigMap({ namespace, name: 'typed', body })).data, { a: '2', b: '1' })
    const list = await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=typed', limit: 5 })
    t.equal(list.items.length, 1)
    t.equal((await core.deleteNamespacedConfigMap({ namespace, name: 'typed' })).status, 'Success')
    t.equal(await core.readNamespacedConfigMap({ namespace, name: 'typed' }).catch(codeOf), 404)
    t.ok((await core.listNode()).items.every(({ status }) => status?.allocatable?.['cpu']))
    t.ok((await core.listNamespace({ labelSelector: `kubernetes.io/metadata.name=${namespace}` })).items.length === 1)
  })

  await t.test('calls for any kind', async (t) => {
    const objects = KubernetesObjectApi.makeApiClient(config)
    const spec = configMap('any', { a: '1' }, { namespace })
    t.match(await objects.create(spec), { metadata: { uid: String } })
    t.equal(await objects.create(spec).catch(codeOf), 409)
    const merge = { ...spec, data: { b: '1' } }
    const merged = await objects.patch(merge, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    t.match(merged, { data: { a: '1', b: '1' } })
    const apply = PatchStrategy.ServerSideApply
    const applied = { ...spec, data: { c: '1' } }
    t.match(await objects.patch(applied, undefined, undefined, 'node', false, apply), { data: { c: '1' } })
    const listed = await objects.list('v1', 'ConfigMap', namespace)
    t.ok(listed.items.some((item) => item.metadata?.name === 'any'))
    t.match(await objects.read({ ...spec, metadata: { name: 'any', namespace } }), { data: { a: '1', b: '1', c: '1' } })
    t.match(await objects.delete(spec), { status: 'Success' })
    t.equal(await objects.read({ ...spec, metadata: { name: 'any', namespace } }).catch(codeOf), 404)
  })

  await t.test('its informer', async (t) => {
    const told: string[] = []
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'follow=yes' })
    const informer = makeInformer<V1ConfigMap>(config, path, list, 'follow=yes')
    for (const event of ['add', 'update', 'delete'] as const) {
      informer.on(event, ({ metadata, data }) => told.push(`${event} ${metadata?.name} ${data?.['a']}`))
    }
    const trouble: unknown[] = []
    informer.on('error', (error) => trouble.push(error))
    await informer.start()
    t.teardown(() => informer.stop())
    const body = configMap('followed', { a: '1' }, { labels: { follow: 'yes' } })
    await core.createNamespacedConfigMap({ namespace, body })
    await eventually('the new one', () => told.length === 1)
    await core.patchNamespacedConfigMap({
      namespace,
      name: 'followed',
      body: [{ op: 'add', path: '/data/a', value: '2' }],
    })
    await core.deleteNamespacedConfigMap({ namespace, name: 'followed' })
    await eventually('all', () => told.length === 3)
    t.strictSame(told, ['add followed 1', 'update followed 2', 'delete followed 2'])
    t.strictSame(trouble, [])
  })
}
