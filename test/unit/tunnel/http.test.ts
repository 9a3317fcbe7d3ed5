/** HTTP/1.1 through the tunnel: kept pipes, streams, WebSocket, SPDY and other upgrades, with real servers of Node.js behind. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, type RequestOptions, request, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t, { type Test } from 'tap'
import { createPipeAgent } from '../../../services/shared/http/pipe-agent.ts'
import { clientOf, startAgent, startDesk } from '../../support/tunnel.ts'
import { until } from '../../support/until.ts'

// 100 MB and back again, several times, on a machine that may do other things.
t.setTimeout(120_000)

const datacenterId = 'dc_http'
const megabytes = 100

/** A server of Node.js whose connections are the agent's pipes, and an `http.Agent` at the desk. */
async function served(t: Test, server: Server, options = { keepAlive: true }) {
  const desk = await startDesk()
  const pipes: Duplex[] = []
  const serve = (pipe: Duplex) => {
    pipes.push(pipe)
    server.emit('connection', pipe)
  }
  const identity = await clientOf(desk.authority, datacenterId)
  const tunnel = startAgent({ servers: [desk.address], serve }, desk.authority, identity)
  const agent = createPipeAgent((signal) => desk.server.open(datacenterId, signal), options)
  t.teardown(async () => {
    agent.destroy()
    await desk.server.close()
    await tunnel.stop()
    server.close()
  })
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const send = (path: string, given: RequestOptions = {}) =>
    request(`http://cluster.internal${path}`, { agent, ...given })
  return { desk, agent, pipes, send }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function answer(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  sent.end()
  return (await once(sent, 'response'))[0] as IncomingMessage
}

t.test('requests share kept pipes, and heads come whole', async (t) => {
  const server = createServer((incoming, response) => {
    response.setHeader('x-long', 'v'.repeat(6_000))
    response.end(`${incoming.method} ${incoming.url} ${incoming.headers.host}`)
  })
  const { pipes, send } = await served(t, server)
  for (let i = 0; i < 20; i++) {
    const response = await answer(send(`/api?turn=${i}`))
    t.equal(response.headers['x-long']?.length, 6_000)
    t.equal(await textOf(response), `GET /api?turn=${i} cluster.internal`)
  }
  t.equal(pipes.length, 1, 'one pipe for all')
  const texts = await Promise.all(Array.from({ length: 50 }, async (_, i) => textOf(await answer(send(`/${i}`)))))
  t.same(
    texts,
    texts.map((_, i) => `GET /${i} cluster.internal`),
    '50 at once',
  )
})

t.test('a kept pipe that the server closes is not used again', async (t) => {
  // Without a limit of its own the server tells none, and the client keeps the pipe until it hears that it ended.
  const server = createServer({ keepAliveTimeout: 0 }, (_incoming, response) => void response.end('here'))
  const { agent, pipes, send } = await served(t, server)
  const kept = () => Object.values(agent.freeSockets).flat().length
  for (const close of [(pipe?: Duplex) => pipe?.end(), (pipe?: Duplex) => pipe?.destroy()]) {
    t.equal(await textOf(await answer(send('/'))), 'here')
    await until(() => kept() === 1, 'the pipe is kept')
    close(pipes.at(-1))
    await until(() => kept() === 0, 'nothing is kept')
  }
  t.equal(pipes.length, 2)
})

t.test('without keeping, each request has its pipe, and none stays', async (t) => {
  const server = createServer((_incoming, response) => void response.end('here'))
  const { desk, pipes, send } = await served(t, server, { keepAlive: false })
  for (let i = 0; i < 10; i++) t.equal(await textOf(await answer(send('/'))), 'here')
  t.equal(pipes.length, 10)
  await until(() => desk.server.connections()[0]?.streams === 0, 'no pipe stays')
  await until(() => pipes.every((pipe) => pipe.destroyed), 'nor at the agent')
})

t.test('bodies stream both ways: 100 MB up and 100 MB down with the same sum', async (t) => {
  const block = randomBytes(1 << 20)
  function* blocks() {
    for (let i = 0; i < megabytes; i++) {
      block.writeUInt32BE(i)
      yield Buffer.from(block)
    }
  }
  const hash = () => createHash('sha256')
  const wanted = hash()
  for (const piece of blocks()) wanted.update(piece)
  const sum = wanted.digest('hex')
  const server = createServer(async (incoming, response) => {
    if (incoming.method === 'GET') return await pipeline(blocks(), response)
    const got = hash()
    await pipeline(incoming, got)
    response.end(got.digest('hex'))
  })
  const { send } = await served(t, server)
  const up = send('/', { method: 'PUT' })
  const [response] = await Promise.all([once(up, 'response'), pipeline(blocks(), up)])
  t.equal(await textOf(response[0]), sum, 'up')
  const down = hash()
  await pipeline(await answer(send('/')), down)
  t.equal(down.digest('hex'), sum, 'down')
})

t.test('an answer that breaks off is an error, never a short answer', async (t) => {
  const server = createServer((_incoming, response) => {
    response.write('the first half', () => response.socket?.destroy())
  })
  const { send } = await served(t, server)
  const sent = send('/')
  sent.on('error', () => undefined)
  await t.rejects(textOf(await answer(sent)), { code: 'ECONNRESET' })
})

t.test('a request that is aborted is aborted at the server, and the others go on', async (t) => {
  const closed = Promise.withResolvers<void>()
  const server = createServer((incoming, response) => {
    if (incoming.url !== '/watch') return void response.end('here')
    response.write('first event')
    response.on('close', closed.resolve)
  })
  const { desk, send } = await served(t, server)
  const watch = send('/watch')
  watch.on('error', () => undefined)
  const events = await answer(watch)
  await once(
    events.on('error', () => undefined),
    'data',
  )
  watch.destroy()
  await t.resolves(closed.promise, 'the server hears of it')
  t.equal(await textOf(await answer(send('/'))), 'here')
  await until(() => (desk.server.connections()[0]?.streams ?? 9) <= 1, 'only the kept pipe is left')
})

t.test('without an agent the request fails in words', async (t) => {
  const { desk, send } = await served(t, createServer())
  desk.server.drop(datacenterId)
  await until(() => desk.server.connections().length === 0, 'nobody is connected')
  const sent = send('/')
  sent.end()
  const [error] = await once(sent, 'error')
  t.match(error, { reason: 'absent', message: `no agent of ${datacenterId} is connected` })
})

for (const [protocol, frames] of [
  ['websocket', megabytes],
  ['SPDY/3.1', megabytes],
  ['tls-of-tomorrow', 4],
] as const) {
  t.test(`an upgrade to ${protocol} is a raw pipe both ways`, async (t) => {
    const server = createServer()
    server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      const key = incoming.headers['sec-websocket-key'] ?? ''
      socket.on('error', () => undefined)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\n` +
          `X-Key: ${key}\r\nX-Head: ${head.length}\r\n\r\nserver speaks first`,
      )
      socket.pipe(socket)
    })
    const { desk, send } = await served(t, server)
    const headers = { connection: 'Upgrade', upgrade: protocol, 'sec-websocket-key': 'dGhlIHNhbXBsZQ==' }
    const sent = send('/api/v1/namespaces/a/pods/b/exec', { headers })
    sent.end()
    const [response, socket, head] = (await once(sent, 'upgrade')) as [IncomingMessage, Duplex, Buffer]
    t.match(response.headers, { upgrade: protocol, 'x-key': 'dGhlIHNhbXBsZQ==', 'x-head': '0' })
    socket.on('error', () => undefined)
    if (head.length > 0) socket.unshift(head)
    const greeting = 'server speaks first'
    const [sum, expected] = [createHash('sha256'), createHash('sha256')]
    expected.update(greeting)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      sum.update(chunk)
    })
    for (let i = 0; i < frames; i++) {
      const frame = randomBytes(1 << 20)
      expected.update(frame)
      if (!socket.write(frame)) await once(socket, 'drain')
    }
    await until(() => bytes === greeting.length + (frames << 20), `${frames} MB came back`)
    t.equal(sum.digest('hex'), expected.digest('hex'))
    socket.end()
    await until(() => desk.server.connections()[0]?.streams === 0, 'and the pipe is gone')
  })
}

t.test('the global WebSocket of Node.js speaks through a proxy of pipes', async (t) => {
  const server = createServer()
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex) => {
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.on('error', () => undefined)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    // One unmasked text frame, before anything is asked.
    socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hallo')]))
  })
  const { desk } = await served(t, server)
  const relay = createTcpServer(async (socket) => {
    const pipe = await desk.server.open(datacenterId)
    socket.on('error', () => pipe.destroy())
    pipe.on('error', () => socket.destroy())
    socket.pipe(pipe).pipe(socket)
  })
  await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve))
  const client = new WebSocket(`ws://127.0.0.1:${(relay.address() as { port: number }).port}/`)
  const [message] = (await once(client as never, 'message')) as [MessageEvent]
  t.equal(message.data, 'hallo')
  client.close()
  relay.close()
})

t.test('an agent that is destroyed opens nothing any longer', async (t) => {
  const agent = createPipeAgent(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  t.ok(agent instanceof Agent)
  const sent = request('http://cluster.internal/', { agent })
  sent.end()
  const failed = once(sent, 'error')
  await new Promise(setImmediate)
  agent.destroy()
  t.match((await failed)[0], { message: /were closed/ })
})
