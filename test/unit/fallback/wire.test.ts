/** The channel of desk and site: every message survives its line, what is wrong is dropped, and bytes may come in any pieces. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Duplex, duplexPair } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import type { FromDesk, FromSite } from '../../../services/fallback/index.ts'
import {
  acceptChannel,
  type Channel,
  createChannel,
  createLineReader,
  type Hello,
  isChannelRequest,
  lineOf,
  maxLineBytes,
  readBetweenSites,
  readFromDesk,
  readFromSite,
  readGuardAnswer,
  readGuardAsk,
  readOfSite,
  requestChannel,
  type Unread,
} from '../../../services/fallback/wire/index.ts'
import { deadline } from '../../../services/shared/clock.ts'
import { until } from '../../support/until.ts'

const epoch = { generation: 2, counter: 7 }
const hosting = 'hst_1'
const lists = [{ version: 3, members: ['dc_a', 'dc_b'] }]

const siteSays: FromSite[] = [
  { kind: 'renew', incarnation: 1, seq: 4, clockMs: -3.5, holds: [{ hosting, epoch, active: true, listVersion: 0 }] },
  { kind: 'accepted', hosting, epoch },
  { kind: 'refused', hosting, epoch, reason: 'promised', remainingMs: 12.5, highest: epoch },
  { kind: 'unable', hosting, epoch },
  { kind: 'stopped', hosting, epoch },
  {
    kind: 'seen',
    generation: 2,
    seen: [
      { hosting, highest: epoch },
      { hosting, highest: epoch, running: epoch },
    ],
  },
]
const deskSays: (FromDesk | Hello)[] = [
  {
    kind: 'hello',
    term: 5,
    datacenter: 'dc_a',
    profile: { leaseMs: 9_000, renewMs: 3_000, stopMs: 6_000, drift: 0.01 },
    peers: { dc_b: 'b.example:7443' },
    self: { level: 2 },
  },
  {
    kind: 'renewed',
    incarnation: 1,
    seq: 4,
    leases: [{ hosting, epoch, activity: 'pinned', leaseMs: 9_000, lists }],
    lost: [{ hosting, epoch }],
  },
  { kind: 'activate', hosting, epoch, activity: 'exclusive' },
  { kind: 'deactivate', hosting, epoch },
  { kind: 'ask-stopped', hosting, epoch },
  { kind: 'ask-seen', generation: 2 },
]

t.test('every message is read as it was sent', async (t) => {
  for (const message of siteSays) t.same(readFromSite(lineOf(message)), { ok: true, message })
  const about = { kind: 'about', peer: 'a.example:7443', stopMs: 812.5 }
  t.same(readOfSite(lineOf(about)), { ok: true, message: about })
  for (const message of siteSays) t.same(readOfSite(lineOf(message)), { ok: true, message })
  for (const message of deskSays) t.same(readFromDesk(lineOf(message)), { ok: true, message })
  for (const kind of ['hold', 'promised'] as const) {
    const message = { kind, hosting, epoch, incarnation: 1, seq: 2 }
    t.same(readBetweenSites(lineOf(message)), { ok: true, message })
  }
  const refused = { kind: 'hold-refused', hosting, epoch, highest: epoch }
  t.same(readBetweenSites(lineOf(refused)), { ok: true, message: refused })
  const ask = { kind: 'ask', node: 'n1', seq: 1, agent: 0, present: [hosting] }
  t.same(readGuardAsk(lineOf(ask)), { ok: true, message: ask })
  const grants = [{ hosting, epoch, activity: 'pinned', remainingMs: 1 }]
  const answer = { kind: 'grants', node: 'n1', seq: 1, agent: 3, grants, over: [] }
  t.same(readGuardAnswer(lineOf(answer)), { ok: true, message: answer })
})

t.test('a message of which a part is missing or of another type is malformed; another kind is unknown', async (t) => {
  for (const message of siteSays) {
    for (const field of Object.keys(message)) {
      if (field === 'kind') continue
      t.same(readFromSite(JSON.stringify({ ...message, [field]: undefined })), { ok: false, why: 'malformed' })
      t.same(readFromSite(JSON.stringify({ ...message, [field]: { no: 1 } })), { ok: false, why: 'malformed' })
    }
  }
  t.same(readFromSite('{"kind":"later"}'), { ok: false, why: 'unknown-kind' })
  t.same(readFromSite('{"kind":"activate"}'), { ok: false, why: 'unknown-kind' }, 'a site gives no orders')
  for (const text of ['', 'no', '[]', 'null', '{}', '{"kind":7}', '{"kind":"__proto__"']) {
    t.same(readFromSite(text), { ok: false, why: 'malformed' }, text)
  }
  const negative = { kind: 'stopped', hosting, epoch: { generation: -1, counter: 2 } }
  t.notOk(readFromSite(JSON.stringify(negative)).ok, 'an epoch is of whole numbers from nought')
  const more = { ...siteSays[1], later: 'field' }
  t.ok(readFromSite(JSON.stringify(more)).ok, 'a field of a later version does no harm')
})

t.test('lines come out as they went in, however their bytes are cut', async () => {
  const pieces = fc.array(fc.string({ minLength: 1 }).filter((text) => text.trim() !== '' && !text.includes('\n')))
  fc.assert(
    fc.property(pieces, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, sizes) => {
      const got: string[] = []
      const take = createLineReader(1_000, (line) => got.push(line))
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        if (!take(bytes.subarray(at, at + size))) return false
        at += size
      }
      return JSON.stringify(got) === JSON.stringify(lines)
    }),
  )
})

t.test('a line that is too long ends the channel, however it comes', async (t) => {
  t.notOk(createLineReader(5, () => t.fail('a line that is too long was taken'))(Buffer.from('123456\n')))
  const take = createLineReader(5, () => t.fail('a line that is too long was taken'))
  t.ok(take(Buffer.from('12345')))
  t.notOk(take(Buffer.from('6')))
  const [ours, theirs] = duplexPair()
  const ended = Promise.withResolvers<Error | undefined>()
  createChannel(ours, { read: readFromSite, heard: () => undefined, closed: ended.resolve })
  theirs.on('error', () => undefined)
  theirs.write(Buffer.alloc(maxLineBytes + 1, 120))
  t.match((await ended.promise)?.message, /a line of more than/)
})

t.test('who does not read loses messages, and nothing else', async (t) => {
  const stalled = new Duplex({ read: () => undefined, write: () => undefined })
  const channel: Channel<FromDesk> = createChannel(stalled, {
    read: readFromSite,
    heard: () => undefined,
    closed: () => undefined,
  })
  const big: FromDesk = { kind: 'renewed', incarnation: 1, seq: 1, leases: [], lost: [] }
  const lost = Array.from({ length: 30_000 }, () => ({ hosting: 'h'.repeat(200), epoch }))
  let sent = 0
  while (sent < 20 && channel.send({ ...big, lost })) sent += 1
  t.ok(sent >= 1 && sent < 20, 'it stops taking them')
  channel.close()
  t.notOk(channel.send(big), 'nor after it was closed')
})

t.test('a pipe becomes a channel by an upgrade, and messages go both ways', async (t) => {
  const unread: Unread[] = []
  const atSite: unknown[] = []
  const server = createServer()
  server.on('upgrade', (incoming: IncomingMessage, pipe: Duplex, head: Buffer) => {
    t.ok(isChannelRequest(incoming))
    acceptChannel(pipe)
    const site: Channel<FromSite> = createChannel(
      pipe,
      {
        read: readFromDesk,
        heard: (message) => {
          atSite.push(message)
          site.send({ kind: 'unable', hosting, epoch })
        },
        unread: (why) => unread.push(why),
        closed: () => undefined,
      },
      head,
    )
    pipe.write('{"kind":"of-a-later-version"}\nnot json\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const pipe = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const first = await requestChannel(pipe, deadline(10_000))
  const atDesk: FromSite[] = []
  const unreadAtDesk: Unread[] = []
  const options = {
    read: readFromSite,
    heard: (message: FromSite) => void atDesk.push(message),
    unread: (why: Unread) => void unreadAtDesk.push(why),
    closed: () => undefined,
  }
  const desk: Channel<FromDesk> = createChannel(pipe, options, first)
  desk.send({ kind: 'ask-seen', generation: 1 })
  await until(() => atDesk.length === 1 && unreadAtDesk.length === 2, 'the desk has heard the site')
  t.same(atSite, [{ kind: 'ask-seen', generation: 1 }])
  t.same(unreadAtDesk, ['unknown-kind', 'malformed'])
  desk.close()
})

t.test('an agent that knows no channel says no', async (t) => {
  const server = createServer((_request, response) => response.writeHead(403).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const pipe = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await t.rejects(requestChannel(pipe, deadline(10_000)), /answered 403/)
  t.ok(pipe.destroyed)
})
