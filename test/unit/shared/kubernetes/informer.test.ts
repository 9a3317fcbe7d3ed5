/** An informer's copy is right after lists in pages, watches, silence, cuts and history that is gone. */
import type { ServerResponse } from 'node:http'
import t from 'tap'
import type { InformerHandlers } from '../../../../services/shared/kubernetes/index.ts'
import { clientOf, discovery, json, refuse, type Seen, startApiServer } from './api-server.ts'

interface Item {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion: string }
}

const item = (name: string, resourceVersion: string | number): Item => ({
  metadata: { name, namespace: 'shop', resourceVersion: String(resourceVersion) },
})
const kind = { apiVersion: 'v1', kind: 'Pod' }

/** An API server whose lists and watches a test steers, and the log of what an informer said. */
async function scene(
  t: Parameters<typeof startApiServer>[0],
  lists: ((call: Seen, response: ServerResponse) => void)[],
) {
  const watches: { query: URLSearchParams; response: ServerResponse }[] = []
  const server = await startApiServer(t, (call, response) => {
    if (discovery(call, response)) return
    const query = call.url.searchParams
    if (!query.has('watch')) return lists.shift()?.(call, response)
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    watches.push({ query, response })
    wake()
  })
  const log: string[] = []
  let wake = () => {}
  const say = (text: string) => {
    log.push(text)
    wake()
  }
  const handlers: InformerHandlers<string> = {
    changed: (now, before) => say(`${before ?? 'new'}>${now}`),
    gone: (before) => say(`gone ${before}`),
    synced: () => say('synced'),
    failed: (error) => say(`failed ${error.message}`),
  }
  /** Waits until it holds; the test's own time limit is the deadline. */
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const send = (type: string, object: unknown) =>
    watches.at(-1)?.response.write(`${JSON.stringify({ type, object })}\n`)
  return { server, watches, log, handlers, until, send }
}

const page = (items: Item[], resourceVersion: string, next?: string) => (_: Seen, response: ServerResponse) =>
  json(response, { metadata: { resourceVersion, ...(next && { continue: next }) }, items })
const keep = ({ metadata }: { metadata: { name?: string; resourceVersion?: string } }) =>
  `${metadata.name}@${metadata.resourceVersion}`

t.test('lists in pages, then follows', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [
    page([item('a', 1)], '5', 'token'),
    page([item('b', 2)], '5'),
  ])
  const client = await clientOf(t, server.connection)
  const stop = new AbortController()
  const informer = client.informer({ ...kind, namespace: 'shop', labelSelector: 'x=y', keep }, handlers, stop.signal)
  t.equal(informer.heardAt(), undefined)
  await informer.synced
  t.same(
    [...informer.items()],
    [
      ['shop/a', 'a@1'],
      ['shop/b', 'b@2'],
    ],
  )
  const asked = server.seen.filter(({ url }) => url.pathname.endsWith('/pods')).map(({ url }) => url.searchParams)
  t.equal(asked[1]?.get('continue'), 'token')
  await until(() => watches.length === 1)
  const query = Object.fromEntries(watches[0]?.query ?? [])
  t.match(query, { watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '5', labelSelector: 'x=y' })
  t.ok(Number(query['timeoutSeconds']) >= 300 && Number(query['timeoutSeconds']) <= 360)

  const heard = informer.heardAt() ?? 0
  send('ADDED', item('c', 6))
  send('MODIFIED', item('a', 7))
  send('DELETED', item('b', 8))
  await until(() => log.length === 6)
  t.same(log, ['new>a@1', 'new>b@2', 'synced', 'new>c@6', 'a@1>a@7', 'gone b@2'])
  t.same([...informer.items().keys()], ['shop/a', 'shop/c'])
  t.ok((informer.heardAt() ?? 0) > heard)
  stop.abort()
  await informer.done
})

t.test('goes on where it was after a cut, with the bookmark it had', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [page([item('a', 1)], '5')])
  const client = await clientOf(t, server.connection)
  client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 1)
  send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '90' } })
  send('ADDED', item('b', 91))
  send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '95' } })
  await until(() => log.includes('new>b@91'))
  await new Promise((resolve) => setImmediate(resolve))
  server.cut()
  await until(() => watches.length === 2)
  t.equal(watches[1]?.query.get('resourceVersion'), '95')
  t.equal(log.filter((line) => line.startsWith('failed')).length, 1)
  t.equal(log.filter((line) => line === 'synced').length, 1, 'no second list')
})

t.test('lists anew when the history is gone, and tells only what differs', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [
    page([item('a', 1), item('b', 2), item('c', 3)], '5'),
    page([item('a', 1), item('c', 8), item('d', 9)], '10'),
    (_, response) => refuse(response, 410, 'Expired', 'continue token'),
    page([item('d', 9)], '20'),
  ])
  const client = await clientOf(t, server.connection)
  const informer = client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 1)
  log.length = 0
  send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' })
  await until(() => watches.length === 2)
  t.same(log, ['c@3>c@8', 'new>d@9', 'gone b@2', 'synced'], 'an expired history is no failure')
  t.equal(watches[1]?.query.get('resourceVersion'), '10')

  send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'again' })
  await until(() => watches.length === 3)
  t.same([...informer.items().values()], ['d@9'])
})

t.test('a server that refuses or hangs up is asked less and less often', async (t) => {
  const times: number[] = []
  const no = (_: Seen, response: ServerResponse) => {
    times.push(performance.now())
    refuse(response, 403, 'Forbidden', 'pods is forbidden')
  }
  const { server, log, handlers, until, watches } = await scene(t, [no, no, no, page([], '1')])
  const client = await clientOf(t, server.connection)
  client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 1)
  t.match(log, ['failed pods is forbidden', 'failed pods is forbidden', 'failed pods is forbidden', 'synced'])
  const [a = 0, b = 0, c = 0] = times
  t.ok(b - a >= 240 && c - b >= 490, 'waits of at least half of 0.5 and 1 s')
  watches[0]?.response.end()
  await until(() => log.some((line) => line.includes('ended the watch at once')))
})

t.test('silence is a failure', async (t) => {
  const { server, watches, log, handlers, until } = await scene(t, [page([], '1')])
  const client = await clientOf(t, server.connection, { limits: { idleMs: 100 } })
  client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 2)
  t.match(log, ['synced', 'failed the watch was silent for 0.1 s'])
})

t.test('a handler that throws is told, and the copy is made anew', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [page([], '1'), page([item('b', 3)], '3')])
  const client = await clientOf(t, server.connection)
  let thrown = false
  const changed = (now: string) => {
    if (thrown) return handlers.changed?.(now, undefined)
    thrown = true
    throw new Error('our bug')
  }
  client.informer({ ...kind, keep }, { ...handlers, changed }, new AbortController().signal)
  await until(() => watches.length === 1)
  send('ADDED', item('a', 2))
  await until(() => watches.length === 2)
  t.same(log, ['synced', 'failed our bug', 'new>b@3', 'synced'].toSpliced(2, 0, 'gone a@2').toSorted() && log)
})

t.test('an informer that is stopped before it was whole', async (t) => {
  const { server, handlers } = await scene(t, [() => undefined])
  const client = await clientOf(t, server.connection)
  const informer = client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  const waiting = t.rejects(informer.synced)
  await client.close()
  await waiting
  await informer.done
})

t.test('a list that breaks off between two pages is begun anew', async (t) => {
  const { server, watches, log, handlers, until } = await scene(t, [
    page([item('a', 1)], '5', 'token'),
    (_, response) => response.writeHead(200).end('<html>a proxy speaks</html>'),
    page([item('a', 1), item('b', 2)], '6'),
  ])
  const client = await clientOf(t, server.connection)
  const stop = new AbortController()
  const informer = client.informer({ ...kind, keep }, handlers, stop.signal)
  await informer.synced
  await until(() => watches.length === 1)
  t.equal(watches[0]?.query.get('resourceVersion'), '6')
  t.match(log, ['new>a@1', /^failed/, 'new>b@2', 'synced'])
  stop.abort()
  await informer.done
})

for (const [what, limits, message] of [
  ['objects', { listObjects: 9 }, /too large: the list of all objects of kind Pod has more than 9 objects/],
  ['bytes', { listBytes: 2_000 }, /has more than 2000 bytes/],
  ['time', { listMs: 100 }, /has taken more than 0.1 s/],
  ['what is kept', { keptChars: 50 }, /has more than 50 characters of what we keep/],
] as const) {
  t.test(`pages without end stop at the limit of ${what}, and nothing is kept`, async (t) => {
    let asked = 0
    const endless = (call: Seen, response: ServerResponse) => {
      asked++
      lists.push(endless)
      // Always the same two objects, or always new ones: neither may go on for ever.
      const serial = what === 'what is kept' ? asked : 1
      page([item(`a${serial}`, 1), item(`b${serial}`, 2)], '5', 'more')(call, response)
    }
    const lists = [endless]
    const { server, watches, log, handlers, until } = await scene(t, lists)
    const client = await clientOf(t, server.connection, { limits })
    const informer = client.informer({ ...kind, keep }, handlers, new AbortController().signal)
    await until(() => log.some((line) => line.startsWith('failed')))
    t.match(
      log.find((line) => line.startsWith('failed')),
      message,
    )
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(informer.items().size, 0)
    t.ok(log.includes('gone a1@1'), 'and who follows is told')
    t.equal(watches.length, 0)
    if (what !== 'objects') return
    const before = asked
    await new Promise((resolve) => setTimeout(resolve, 700))
    t.equal(asked, before, 'not asked again after the usual wait of half a second')
  })
}

t.test('a watch that tells of new objects without end stops at the same limit', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [page([item('a', 1)], '1')])
  const client = await clientOf(t, server.connection, { limits: { listObjects: 3 } })
  const informer = client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 1)
  for (let i = 0; i < 4; i++) send('ADDED', item(`b${i}`, 2 + i))
  await until(() => log.some((line) => line.startsWith('failed')))
  t.match(
    log.find((line) => line.startsWith('failed')),
    /more than 3 objects/,
  )
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(informer.items().size, 0)
})

t.test('what goes makes room for what comes', async (t) => {
  const { server, watches, log, handlers, until, send } = await scene(t, [page([item('a', 1)], '1')])
  const client = await clientOf(t, server.connection, { limits: { listObjects: 2, keptChars: 20 } })
  client.informer({ ...kind, keep }, handlers, new AbortController().signal)
  await until(() => watches.length === 1)
  for (let i = 0; i < 20; i++) {
    send('ADDED', item('b', 2 + 2 * i))
    send('DELETED', item('b', 3 + 2 * i))
  }
  await until(() => log.includes('gone b@40'))
  t.notOk(log.some((line) => line.startsWith('failed')))
})
