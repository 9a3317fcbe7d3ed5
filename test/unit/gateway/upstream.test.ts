/** One request to one datacenter: how long it may take, who may end it, and connections that are kept for the next. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import pino from 'pino'
import t, { type Test } from 'tap'
import { createMembers } from '../../../services/gateway/members.ts'
import { bodyOf, createUpstream, type Sent } from '../../../services/gateway/upstream.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import { createSecrets } from '../../../services/shared/secrets.ts'
import { until } from '../../support/until.ts'

const log = pino({ level: 'silent' })
/** A thousand times as fast, so that its thirty seconds are 30 ms. */
const hasty = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 1_000,
  every: (ms: number, task: () => void) => systemClock.every(ms / 1_000, task),
}

/** A datacenter by its agent, whose pipes lead to a server here. */
async function stage(t: Test, answer: RequestListener, clock = systemClock) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pipes: Socket[] = []
  const rows = [{ datacenterId: 'dc_1', slug: 'breda', kind: 'agent', version: 1, sealed: Buffer.alloc(0) }]
  const members = createMembers({ query: async () => rows } as unknown as Database, {
    allowedAddresses: [],
    secrets: createSecrets(new Uint8Array(32)),
    monotonic: systemClock.monotonic,
    log,
    pipe: async () => {
      const pipe = connect(port, '127.0.0.1')
      pipes.push(pipe)
      await once(pipe, 'connect')
      return pipe
    },
  })
  t.teardown(() => {
    members.close()
    server.closeAllConnections()
    server.close()
  })
  const member = (await members.of(['dc_1'])).get('dc_1')
  if (!member) throw new Error('there is no member')
  const upstream = createUpstream(clock)
  const send = (signal = new AbortController().signal, more: Partial<Sent> = {}) =>
    upstream.send(member, { method: 'GET', path: '/api', signal, ...more })
  return { send, pipes }
}

t.test('as many connections are kept as were used at once', async (t) => {
  const { send, pipes } = await stage(t, (_, response) => response.end('{}'))
  const all = () => Promise.all(Array.from({ length: 40 }, async () => bodyOf(await send(), 100)))
  for (let round = 0; round < 3; round++) await all()
  t.equal(pipes.length, 40)
})

t.test('one that is not answered is ended, and not asked again', async (t) => {
  let asked = 0
  const { send, pipes } = await stage(t, (_, response) => void (asked++ === 0 && response.end('{}')), hasty)
  await bodyOf(await send(), 100)
  await t.rejects(send(), { name: 'Unreachable', message: 'no answer within 30 s' })
  await until(() => pipes.every((pipe) => pipe.destroyed), 'its connection is ended')
  t.equal(asked, 2)
  t.equal(pipes.length, 1)
})

t.test(
  'who does not know the gateway is as one that does not answer, not as one that refuses the client',
  async (t) => {
    const { send } = await stage(t, (_, response) => void response.writeHead(401).end('{}'))
    await t.rejects(send(), { name: 'Unreachable', message: /does not know the gateway/ })
  },
)

t.test('an answer that has begun may take its time', async (t) => {
  const { send } = await stage(
    t,
    (_, response) => {
      response.write('{')
      systemClock.sleep(200).then(() => response.end('}'))
    },
    hasty,
  )
  t.equal((await bodyOf(await send(), 100)).toString(), '{}')
})

t.test('who gives up ends it, before the answer and in the middle of it', async (t) => {
  for (const isBegun of [false, true]) {
    const left = new AbortController()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const { promise: asked, resolve: heard } = Promise.withResolvers<void>()
    const { send } = await stage(t, (_, response) => {
      if (isBegun) response.write('{')
      response.once('close', resolve)
      heard()
    })
    const sent = send(left.signal).then((answer) => bodyOf(answer, 100))
    const rejected = t.rejects(sent, { message: 'gone' })
    await asked
    left.abort(new Error('gone'))
    await rejected
    await ended
  }
  const { send, pipes } = await stage(t, () => undefined)
  await t.rejects(send(AbortSignal.abort(new Error('gone'))), { message: 'gone' })
  t.equal(pipes.length, 0, 'and who had left before asks nothing')
})

t.test('an agent is told of what is meant for where the hosting is active', async (t) => {
  const told: unknown[] = []
  const { send } = await stage(t, (request, response) => {
    told.push(request.headers['gemeentecloud-where-active'])
    response.end('{}')
  })
  await bodyOf(await send(), 100)
  await bodyOf(await send(undefined, { method: 'POST', whereActive: true }), 100)
  t.same(told, [undefined, 'true'])
})
