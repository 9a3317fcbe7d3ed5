/** How objects go: at once or by finalizer, only the one that was meant, and what becomes of those they own. */
import { configMap, pod } from './manifests.ts'
import { eventually, type Part, untilBody, untilGone } from './world.ts'

const finalizer = 'gemeentecloud.nl/conformance'

export const deleting: Part = async (t, { api, space }) => {
  const { core } = await space(t)
  const path = `${core}/configmaps`
  const make = (name: string, metadata: object = {}) => api.need('POST', path, configMap(name, {}, { ...metadata }))
  const remove = (name: string, options?: object) =>
    api.ask('DELETE', `${path}/${name}`, {
      ...(options && { body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } }),
    })

  await t.test('at once', async (t) => {
    const { metadata } = await make('plain')
    const { status, body } = await remove('plain')
    t.equal(status, 200)
    t.match(body, {
      kind: 'Status',
      status: 'Success',
      details: { name: 'plain', kind: 'configmaps', uid: metadata.uid },
    })
    t.equal((await api.get(`${path}/plain`)).status, 404)
    t.match(await remove('plain'), { status: 404, body: { reason: 'NotFound' } })
  })

  await t.test('only the one that was meant', async (t) => {
    const { metadata } = await make('meant')
    const other = await remove('meant', { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } })
    t.match(other, {
      status: 409,
      body: { reason: 'Conflict', message: /^Operation cannot be fulfilled on \S+ "meant"/ },
    })
    t.match(await remove('meant', { preconditions: { resourceVersion: '1' } }), { status: 409 })
    t.equal((await api.get(`${path}/meant`)).status, 200)
    const { uid, resourceVersion } = metadata
    t.equal((await remove('meant', { preconditions: { uid, resourceVersion } })).status, 200)
    t.equal((await api.get(`${path}/meant`)).status, 404)
  })

  await t.test('a dry run removes nothing', async (t) => {
    await make('dry')
    t.equal((await api.ask('DELETE', `${path}/dry?dryRun=All`)).status, 200)
    t.equal((await api.get(`${path}/dry`)).status, 200)
  })

  await t.test('a finalizer keeps it until it is taken off', async (t) => {
    const made = await make('held', { finalizers: [finalizer] })
    const stream = await api.watch(
      `${path}?watch=true&fieldSelector=metadata.name%3Dheld&resourceVersion=${made.metadata.resourceVersion}`,
    )
    const { status, body } = await remove('held')
    t.equal(status, 200)
    t.match(body, { kind: 'ConfigMap', metadata: { deletionTimestamp: /Z$/, deletionGracePeriodSeconds: 0 } })
    t.equal((await stream.next('the mark')).type, 'MODIFIED')
    const again = await remove('held')
    t.equal(again.status, 200)
    t.equal(again.body.metadata.deletionTimestamp, body.metadata.deletionTimestamp)
    t.match(await api.post(path, configMap('held')), { status: 409 })
    const edited = await api.patch(`${path}/held`, 'merge', { data: { a: '1' } })
    t.equal(edited.status, 200, 'it can still be changed')
    const more = await api.patch(`${path}/held`, 'merge', { metadata: { finalizers: [finalizer, 'example.org/more'] } })
    t.match(more, { status: 422, body: { reason: 'Invalid' } })
    const revived = await api.patch(`${path}/held`, 'merge', { metadata: { deletionTimestamp: null } })
    t.equal(revived.body.metadata.deletionTimestamp, body.metadata.deletionTimestamp, 'there is no way back')
    t.equal((await api.patch(`${path}/held`, 'merge', { metadata: { finalizers: null } })).status, 200)
    t.equal((await stream.next('its end', ({ type }) => type === 'DELETED')).object.metadata.uid, made.metadata.uid)
    t.equal((await api.get(`${path}/held`)).status, 404)
  })

  await t.test('a collection, as far as it is selected', async (t) => {
    for (const name of ['c1', 'c2', 'c3']) await make(name, { labels: { group: name === 'c3' ? 'b' : 'a' } })
    t.equal((await api.ask('DELETE', `${path}?labelSelector=group%3Da`)).status, 200)
    const left = (await api.get(`${path}?labelSelector=group`)).body.items
    t.strictSame(
      left.map((item: any) => item.metadata.name),
      ['c3'],
    )
  })

  await t.test('with its owner, after the propagation that was asked for', async (t) => {
    const family = async (owner: string) => {
      const { metadata } = await make(owner)
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: owner,
        uid: metadata.uid,
        blockOwnerDeletion: true,
      }
      await make(`${owner}-child`, { ownerReferences: [reference] })
    }
    await family('background')
    await remove('background', { propagationPolicy: 'Background' })
    t.equal((await api.get(`${path}/background`)).status, 404, 'the owner goes first')
    await untilGone(api, `${path}/background-child`)

    await family('foreground')
    const { body } = await remove('foreground', { propagationPolicy: 'Foreground' })
    t.match(body.metadata, { deletionTimestamp: String, finalizers: ['foregroundDeletion'] })
    await untilGone(api, `${path}/foreground`)
    t.equal((await api.get(`${path}/foreground-child`)).status, 404, 'the owner goes last')

    await family('orphan')
    await remove('orphan', { propagationPolicy: 'Orphan' })
    await untilGone(api, `${path}/orphan`)
    t.notOk((await api.get(`${path}/orphan-child`)).body.metadata.ownerReferences)
  })

  await t.test('a pod is evicted unless too few would be left', async (t) => {
    const running = async (name: string) => {
      await api.need('POST', `${core}/pods`, pod(name, undefined, { labels: { app: name } }))
      await untilBody(api, `${core}/pods/${name}`, 'a pod to run', ({ status }) => status.phase === 'Running')
    }
    const evict = (name: string, named = name) =>
      api.post(`${core}/pods/${name}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: named },
        deleteOptions: { gracePeriodSeconds: 0 },
      })
    await running('free')
    t.match(await evict('free', 'other'), { status: 400, body: { reason: 'BadRequest' } })
    t.match(await evict('free'), { status: 201, body: { kind: 'Status', status: 'Success' } })
    await untilGone(api, `${core}/pods/free`)
    t.match(await evict('free'), { status: 404, body: { reason: 'NotFound' } })

    await running('needed')
    await api.need('POST', `${core.replace('/api/v1', '/apis/policy/v1')}/poddisruptionbudgets`, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'budget' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'needed' } } },
    })
    const refused = { reason: 'TooManyRequests', message: /^Cannot evict pod as it would violate the pod's disruption/ }
    t.match(await evict('needed'), { status: 429, body: refused })
    t.equal((await api.get(`${core}/pods/needed`)).status, 200)
    t.equal((await api.get(`${core}/pods/needed/eviction`)).status, 405)
    t.equal((await api.ask('DELETE', `${core}/pods/needed/status`)).status, 405)
  })

  await t.test('a pod is let down gently, or not', async (t) => {
    for (const name of ['gentle', 'hard']) await api.need('POST', `${core}/pods`, pod(name))
    await untilBody(api, `${core}/pods/gentle`, 'a pod to run', ({ status }) => status.phase === 'Running')
    const { status, body } = await api.ask('DELETE', `${core}/pods/gentle`)
    t.equal(status, 200)
    t.match(body, { kind: 'Pod', metadata: { deletionTimestamp: String, deletionGracePeriodSeconds: 30 } })
    await untilGone(api, `${core}/pods/gentle`)
    await api.ask('DELETE', `${core}/pods/hard`, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 },
    })
    await eventually('the other to be gone', async () => (await api.get(`${core}/pods/hard`)).status === 404)
  })
}
