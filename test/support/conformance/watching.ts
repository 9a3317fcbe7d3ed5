/** Watches: from where a list was, filtered, with bookmarks, and the word that one must list anew. */
import type { WatchEvent } from './api.ts'
import { configMap } from './manifests.ts'
import type { Part } from './world.ts'

const told = ({ type, object }: WatchEvent) => `${type} ${object.metadata.name}`
const isOf = (name: string) => (event: WatchEvent) => event.object.metadata?.name === name

export const watching: Part = async (t, { api, space }) => {
  const { core } = await space(t)
  const path = `${core}/configmaps`
  const version = async () => (await api.get(path)).body.metadata.resourceVersion
  const from = async (query = '') => api.watch(`${path}?watch=true&resourceVersion=${await version()}${query}`)
  const label = (name: string, labels: object) => api.patch(`${path}/${name}`, 'merge', { metadata: { labels } })

  await t.test('from a list on, every change once and in order', async (t) => {
    const stream = await from()
    await api.need('POST', path, configMap('a', { x: '1' }))
    await api.patch(`${path}/a`, 'merge', { data: { x: '2' } })
    await api.need('DELETE', `${path}/a`)
    const events = [await stream.next('one'), await stream.next('two'), await stream.next('three')]
    t.strictSame(events.map(told), ['ADDED a', 'MODIFIED a', 'DELETED a'])
    t.match(events[0]?.object, { apiVersion: 'v1', kind: 'ConfigMap', data: { x: '1' } })
    t.match(events[2]?.object.data, { x: '2' }, 'as it was last')
    const versions = events.map(({ object }) => BigInt(object.metadata.resourceVersion))
    t.ok(
      versions.every((each, index) => index === 0 || each > (versions[index - 1] ?? 0n)),
      'each later than before',
    )
  })

  await t.test('what happened between the list and the watch is told', async (t) => {
    const before = await version()
    await api.need('POST', path, configMap('between'))
    const stream = await api.watch(`${path}?watch=true&resourceVersion=${before}`)
    t.equal(told(await stream.next('what was missed')), 'ADDED between')
  })

  await t.test('from no version or from 0 it begins with what there is', async (t) => {
    await api.need('POST', path, configMap('present'))
    for (const query of ['', '&resourceVersion=0']) {
      const stream = await api.watch(`${path}?watch=true${query}`)
      t.equal(told(await stream.next('what there is', isOf('present'))), 'ADDED present')
      await label('present', { round: `r${query.length}` })
      t.equal(told(await stream.next('the change', isOf('present'))), 'MODIFIED present')
    }
  })

  await t.test('of chosen objects: who comes to fit is added, who no longer fits is gone', async (t) => {
    const stream = await from('&labelSelector=chosen%3Dyes')
    await api.need('POST', path, configMap('other'))
    await api.need('POST', path, configMap('chosen'))
    await label('chosen', { chosen: 'yes' })
    t.equal(told(await stream.next('it to fit')), 'ADDED chosen')
    await label('chosen', { chosen: 'no' })
    t.equal(told(await stream.next('it to fit no longer')), 'DELETED chosen')

    const single = await from('&fieldSelector=metadata.name%3Dchosen')
    await label('other', { a: 'b' })
    await label('chosen', { a: 'b' })
    t.equal(told(await single.next('the one')), 'MODIFIED chosen')
  })

  await t.test('of one namespace and of all', async (t) => {
    const elsewhere = await space(t)
    const here = await from('&labelSelector=seen')
    const all = await api.watch(`/api/v1/configmaps?watch=true&resourceVersion=${await version()}&labelSelector=seen`)
    const seen = { labels: { seen: 'yes' } }
    await api.need('POST', `${elsewhere.core}/configmaps`, configMap('there', {}, seen))
    await api.need('POST', path, configMap('here', {}, seen))
    t.equal(told(await here.next('the first')), 'ADDED here')
    t.strictSame([told(await all.next('one')), told(await all.next('two'))], ['ADDED there', 'ADDED here'])
  })

  await t.test('bookmarks, and an end at the time that was asked for', async (t) => {
    const before = await version()
    const stream = await from('&allowWatchBookmarks=true&timeoutSeconds=8')
    const { object } = await stream.next('a bookmark', ({ type }) => type === 'BOOKMARK')
    t.match(object, { kind: 'ConfigMap', apiVersion: 'v1' })
    t.ok(BigInt(object.metadata.resourceVersion) >= BigInt(before))
    t.notOk(object.metadata.name)
    await stream.ended
    t.strictSame(
      stream.rest().filter(({ type }) => type !== 'BOOKMARK'),
      [],
    )
  })

  await t.test('from a version that is no longer known', async (t) => {
    const stream = await api.watch(`${path}?watch=true&resourceVersion=1`)
    const { type, object } = await stream.next('the word')
    t.equal(type, 'ERROR')
    t.match(object, { kind: 'Status', code: 410, reason: 'Expired', message: /too old resource version/ })
    await stream.ended
  })
}
