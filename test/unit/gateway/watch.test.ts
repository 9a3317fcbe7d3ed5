/** A watch over several clusters: what it tells of where they are, how it goes on, and when it ends. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import { type Place, spreadOver } from '../../../services/gateway/fanout/cells.ts'
import { readCursor } from '../../../services/gateway/fanout/cursor.ts'
import { type WatchRequest, watchAll } from '../../../services/gateway/fanout/watch.ts'
import type { Member } from '../../../services/gateway/members.ts'
import type { Upstream } from '../../../services/gateway/upstream.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { Unreachable } from '../../../services/shared/kubernetes/index.ts'
import { seededRandom } from '../../../services/shared/random.ts'
import { until } from '../../support/until.ts'

const principal = { tokenId: 'tok_1', subject: 'test', partyId: 'pty_1', role: 'consumer' } as const
const place = (member: Member, namespace: string): Place => ({ member, namespace, placementId: `plc_${namespace}` })
const [breda, goes] = ['breda', 'goes'].map((slug) => ({ datacenterId: `dc_${slug}`, slug }) as unknown as Member) as [
  Member,
  Member,
]

interface Opened {
  readonly where: string
  readonly from: string | null
  event(type: string, version: number, more?: object): void
  raw(text: string): void
  end(): void
  breakOff(): void
}

/** A stage of clusters whose watches the test writes itself. */
function stage(places: readonly Place[], answers: (where: string, attempt: number) => number | undefined = () => 200) {
  const opened: Opened[] = []
  const attempts = new Map<string, number>()
  const upstream: Upstream = {
    send: async (member, { path, query, signal }) => {
      const where = `${member.slug}/${path.split('/')[4]}`
      const attempt = (attempts.get(where) ?? 0) + 1
      attempts.set(where, attempt)
      const statusCode = answers(where, attempt)
      if (statusCode === undefined) throw new Unreachable('down')
      const body = new PassThrough()
      signal.addEventListener('abort', () => body.destroy())
      if (statusCode !== 200)
        body.end(JSON.stringify({ kind: 'Status', message: `no ${statusCode}`, code: statusCode }))
      const line = (object: object) => body.write(`${JSON.stringify(object)}\n`)
      opened.push({
        where,
        from: query?.get('resourceVersion') ?? null,
        event: (type, version, more = {}) =>
          line({
            type,
            object: { metadata: { name: `${where}@${version}`, resourceVersion: String(version) }, ...more },
          }),
        raw: (text) => body.write(text),
        end: () => body.end(),
        breakOff: () => body.destroy(new Error('cut')),
      })
      return Object.assign(body, { statusCode }) as never
    },
    upgrade: () => Promise.reject(new Error('not here')),
  }
  const spread = spreadOver({ group: '', version: 'v1', resource: 'pods' }, places, principal, [])
  const events: any[] = []
  const stop = new AbortController()
  const random = seededRandom(1)
  const begin = (more: Partial<WatchRequest> = {}) =>
    watchAll(
      { upstream, clock: { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(1, signal) }, random },
      {
        spread,
        accept: 'application/json',
        query: new URLSearchParams({ labelSelector: 'a=b', watch: 'true', resourceVersion: '1' }),
        versions: spread.members.map(() => 100n),
        bookmarks: true,
        write: async (event) => {
          events.push(event)
        },
        signal: stop.signal,
        ...more,
      },
    )
  const at = (where: string, nth = 1) => opened.filter((each) => each.where === where)[nth - 1] as Opened
  const opens = (count: number) => until(() => opened.length >= count, `${count} watches`)
  const tells = (count: number) => until(() => events.length >= count, `${count} events`)
  const where = (index: number) =>
    readCursor(events[index].object.metadata.resourceVersion, spread.place, spread.members.length)
  return { events, opened, begin, stop, at, opens, tells, where }
}

t.test('a datacenter that tells of a namespace that it was not asked for is not believed', async (t) => {
  const { begin, stop, at, opens, tells, events } = stage([place(breda, 'a'), place(goes, 'c')])
  const done = begin()
  await opens(2)
  const named = (namespace: string, version: string) => ({
    metadata: { name: 'x', namespace, resourceVersion: version },
  })
  at('breda/a').event('ADDED', 150, named('c', '150'))
  await opens(3)
  at('breda/a', 2).event('ADDED', 151, { kind: 'Table', rows: [{ cells: ['x'], object: named('c', '151') }] })
  await opens(4)
  at('breda/a', 3).event('ADDED', 152, named('a', '152'))
  await tells(1)
  t.match(events, [{ object: { metadata: { namespace: 'a' } } }])
  t.equal(events.length, 1)
  stop.abort()
  await done
})

t.test('each event says where all clusters are, and a cluster is where the slowest of its namespaces is', async (t) => {
  const { begin, stop, at, opens, tells, where, events } = stage([
    place(breda, 'a'),
    place(breda, 'b'),
    place(goes, 'c'),
  ])
  const done = begin()
  await opens(3)
  at('breda/a').event('ADDED', 150)
  await tells(1)
  t.match(where(0), { cursor: { versions: [100n, 100n], own: 150n } }, 'b has not said yet that it is there')
  at('breda/b').event('BOOKMARK', 170)
  await tells(2)
  t.match(events[1], { type: 'BOOKMARK' })
  t.match(where(1), { cursor: { versions: [150n, 100n], own: 0n } })
  at('goes/c').event('DELETED', 7_000)
  await tells(3)
  t.match(where(2), { cursor: { versions: [150n, 7_000n], own: 7_000n } })
  at('goes/c').event('BOOKMARK', 7_000)
  at('breda/a').event('MODIFIED', 180)
  await tells(5)
  at('breda/b').event('BOOKMARK', 170)
  at('breda/b').event('BOOKMARK', 170)
  at('breda/b').event('ADDED', 171)
  await tells(7)
  const [, , , ...after] = events.map(({ type }) => type)
  t.same(after, ['BOOKMARK', 'MODIFIED', 'BOOKMARK', 'ADDED'], 'a bookmark that says nothing new is none')
  stop.abort()
  await done
})

t.test('a broken one goes on where it was, with what was selected; the others do not notice', async (t) => {
  const { begin, stop, at, opens, tells, opened } = stage([place(breda, 'a'), place(goes, 'c')])
  const done = begin()
  await opens(2)
  at('breda/a').event('ADDED', 150)
  await tells(1)
  at('breda/a').breakOff()
  await opens(3)
  t.match(at('breda/a', 2), { from: '150' })
  at('breda/a', 2).end()
  await opens(4)
  t.equal(opened.filter(({ where }) => where === 'goes/c').length, 1)
  at('breda/a', 3).event('MODIFIED', 151)
  await tells(2)
  stop.abort()
  await done
})

t.test('gone: the client is told once, and nothing comes after', async (t) => {
  for (const [how, code] of [
    ['event', 410],
    ['answer', 410],
    ['refused', 403],
  ] as const) {
    const answers = (where: string) => (where !== 'breda/a' || how === 'event' ? 200 : code)
    const { begin, at, opens, events } = stage([place(breda, 'a'), place(goes, 'c')], answers)
    const done = begin()
    await opens(2)
    if (how === 'event') at('breda/a').raw('{"type":"ERROR","object":{"kind":"Status","code":410,"message":"oud"}}\n')
    await done
    t.match(events, [{ type: 'ERROR', object: { code } }], how)
    t.equal(events.length, 1)
  }
})

t.test('an API server that starts refuses for a while: that is no answer', async (t) => {
  const answers = (where: string, attempt: number) =>
    where === 'breda/a' && attempt > 1 && attempt < 4 ? (attempt === 2 ? undefined : 403) : 200
  const { begin, stop, at, opens, tells, events } = stage([place(breda, 'a')], answers)
  const done = begin()
  await opens(1)
  at('breda/a').breakOff()
  await opens(3)
  at('breda/a', 3).event('ADDED', 160)
  await tells(1)
  t.match(events, [{ type: 'ADDED' }])
  stop.abort()
  await done
})

t.test('of what was away when the client listed, it learns by listing again once that is back', async (t) => {
  const { begin, events } = stage([place(breda, 'a'), place(goes, 'c')], (where, attempt) =>
    where === 'goes/c' && attempt < 3 ? undefined : 200,
  )
  await begin({ versions: [100n, 0n] })
  t.match(events, [{ type: 'ERROR', object: { code: 410, reason: 'Expired', message: /goes answers again/ } }])
})

t.test('the first word of one that was away may be that of a server that starts', async (t) => {
  const { begin, events } = stage([place(breda, 'a'), place(goes, 'c')], (where, attempt) =>
    where === 'goes/c' && attempt === 1 ? 403 : 200,
  )
  await begin({ versions: [100n, 0n] })
  t.match(events, [{ type: 'ERROR', object: { code: 410 } }])
})

t.test('what is no event breaks that one off, as a cable would', async (t) => {
  const { begin, stop, at, opens } = stage([place(breda, 'a')])
  const done = begin()
  await opens(1)
  at('breda/a').raw('{"type":"ADDED"}\n')
  await opens(2)
  at('breda/a', 2).raw('<html>\n')
  await opens(3)
  at('breda/a', 3).event('ADDED', Number.NaN)
  await opens(4)
  t.match(at('breda/a', 4), { from: '100' })
  stop.abort()
  await done
})

t.test('who reads slowly holds back who writes', async (t) => {
  const gate = Promise.withResolvers<void>()
  const written: object[] = []
  const { begin, stop, at, opens } = stage([place(breda, 'a')])
  const done = begin({
    write: async (event) => {
      written.push(event)
      await gate.promise
    },
  })
  await opens(1)
  for (let version = 200; version < 2_200; version++) at('breda/a').event('MODIFIED', version)
  await until(() => written.length > 0, 'the first')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(written.length, 1, 'the second waits until the first is taken')
  gate.resolve()
  await until(() => written.length === 2_000, 'all of them')
  stop.abort()
  await done
})
