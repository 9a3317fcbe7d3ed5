/** The broker's own client, with everything the broker asks of it. */
import { KubernetesError, type KubernetesObject } from '../../../services/shared/kubernetes/index.ts'
import { configMap } from './manifests.ts'
import { eventually, type Part } from './world.ts'

const refusal = (status: number, reason?: string) => ({ name: 'KubernetesError', status, ...(reason && { reason }) })
const kind = { apiVersion: 'v1', kind: 'ConfigMap' } as const

export const ourClient: Part = async (t, { client, space }) => {
  const { name: namespace } = await space(t)
  const map = (name: string, data: Record<string, string> = {}, more: object = {}) =>
    configMap(name, data, { namespace, ...more })
  const ref = (name: string) => ({ ...kind, namespace, name })

  await t.test('version, discovery, what is absent', async (t) => {
    t.match(await client.version(), { major: '1', gitVersion: /^v1\./ })
    t.equal(await client.read(ref('none')), undefined)
    t.equal(await client.remove(ref('none')), false)
    await t.rejects(client.list({ apiVersion: 'v1', kind: 'None' }), refusal(404))
    await t.rejects(client.list({ apiVersion: 'none.example/v1', kind: 'None' }), refusal(404))
  })

  await t.test('create, apply, patch, remove', async (t) => {
    const made = await client.create(map('one', { a: '1' }))
    const again = await client.create(map('one')).catch((error: unknown) => error)
    t.ok(again instanceof KubernetesError)
    t.match(again, { status: 409, reason: 'AlreadyExists' })
    await client.apply(map('two', { a: '1' }), { fieldManager: 'ours' })
    await t.rejects(client.apply(map('two', { a: '2' }), { fieldManager: 'theirs' }), refusal(409, 'Conflict'))
    const dry = await client.apply(map('two', { a: '2' }), { fieldManager: 'theirs', force: true, dryRun: true })
    t.match(dry['data'], { a: '2' })
    t.match((await client.read(ref('two')))?.['data'], { a: '1' })
    t.match((await client.apply(map('two', { a: '2' }), { fieldManager: 'theirs', force: true }))['data'], { a: '2' })
    t.match((await client.patch(ref('two'), { data: { b: '1' } }, { fieldManager: 'hand' }))['data'], {
      a: '2',
      b: '1',
    })
    const wrong = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } }
    await t.rejects(client.remove(ref('one'), wrong), refusal(409))
    const { uid = '' } = made.metadata
    t.equal(await client.remove(ref('one'), { preconditions: { uid } }), true)
    t.equal(await client.read(ref('one')), undefined)
  })

  await t.test('lists by page', async (t) => {
    for (const name of ['l1', 'l2', 'l3']) await client.create(map(name, {}, { labels: { page: 'yes' } }))
    const all = { namespace, labelSelector: 'page=yes', limit: 2 }
    const first = await client.list(kind, all)
    const last = await client.list(kind, { ...all, ...(first.continue && { continue: first.continue }) })
    const names = [...first.items, ...last.items].map((item) => item.metadata.name)
    t.strictSame(names, ['l1', 'l2', 'l3'])
    t.equal(last.continue, undefined)
    t.equal(last.items[0]?.kind, 'ConfigMap')
  })

  await t.test('a copy that follows', async (t) => {
    await client.create(map('before', { a: '0' }, { labels: { follow: 'yes' } }))
    const told: string[] = []
    const ended = new AbortController()
    const name = ({ metadata }: KubernetesObject) => metadata.name ?? ''
    const informer = client.informer<string>(
      {
        ...kind,
        namespace,
        labelSelector: 'follow=yes',
        keep: (object) => `${name(object)} ${JSON.stringify(object['data'])}`,
      },
      {
        changed: (now, before) => told.push(before === undefined ? `new ${now}` : `changed ${now}`),
        gone: (before) => told.push(`gone ${before}`),
        failed: (error) => told.push(`failed ${error.message}`),
      },
      ended.signal,
    )
    t.teardown(() => ended.abort())
    await informer.synced
    t.strictSame([...informer.items().keys()], [`${namespace}/before`])
    await client.create(map('after', { a: '1' }, { labels: { follow: 'yes' } }))
    await client.patch(ref('after'), { data: { a: '2' } }, { fieldManager: 'hand' })
    await client.patch(ref('before'), { metadata: { labels: { follow: 'no' } } }, { fieldManager: 'hand' })
    await client.remove(ref('after'))
    await eventually('all to be told', () => told.length >= 5)
    t.strictSame(told, [
      'new before {"a":"0"}',
      'new after {"a":"1"}',
      'changed after {"a":"2"}',
      'gone before {"a":"0"}',
      'gone after {"a":"2"}',
    ])
    t.equal(informer.items().size, 0)
    t.ok(informer.heardAt())
  })
}
