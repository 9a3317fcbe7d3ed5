/** Sessions through the gateway: bytes in both directions once the API server has agreed, and not one before or otherwise. */
import { createHash, randomBytes } from 'node:crypto'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import t, { type Test } from 'tap'
import { forwardUpgrade, requireUpgradable } from '../../../services/gateway/forward.ts'
import type { Member } from '../../../services/gateway/members.ts'
import { type Refusal, statusOf } from '../../../services/gateway/status.ts'
import { type Resource, readTarget } from '../../../services/gateway/target.ts'
import { createUpstream } from '../../../services/gateway/upstream.ts'
import { systemClock } from '../../../services/shared/clock.ts'

const principal = { tokenId: 'tok_1', subject: 'jan', partyId: 'pty_1', role: 'consumer' } as const
const path = '/api/v1/namespaces/a/pods/b/exec?command=sh&command=-c'

async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

interface Behind {
  readonly request?: IncomingMessage
  readonly early?: Buffer
}

/** A gateway in front of an API server that does with an upgrade what `answer` does. */
async function stage(t: Test, answer: (socket: Duplex, seen: Behind) => void) {
  const seen: { request?: IncomingMessage; early?: Buffer } = {}
  const member = createServer()
  member.on('upgrade', (incoming, socket, head) => {
    Object.assign(seen, { request: incoming, early: Buffer.from(head) })
    answer(socket, seen)
  })
  const memberPort = await listen(t, member)
  const agent = new Agent()
  const reached = {
    datacenterId: 'dc_1',
    slug: 'breda',
    base: new URL(`http://127.0.0.1:${memberPort}`),
    calls: agent,
    streams: agent,
    authorization: 'Bearer ours',
  } as unknown as Member
  const gateway = createServer()
  gateway.on('upgrade', (incoming, socket, head) => {
    const read = readTarget(incoming.method ?? '', incoming.url ?? '')
    const target = (read.ok ? read.target : undefined) as Resource
    const { signal } = new AbortController()
    const exchange = { request: incoming, socket, head, principal, signal, over: signal }
    forwardUpgrade(createUpstream(systemClock), reached, target, exchange).catch((error: Refusal) => {
      socket.end(`HTTP/1.1 ${error.status.code} X\r\nconnection: close\r\n\r\n${error.message}`)
    })
  })
  return { port: await listen(t, gateway), seen }
}

const headers = {
  connection: 'Upgrade',
  upgrade: 'SPDY/3.1',
  'x-stream-protocol-version': 'v4.channel.k8s.io',
  authorization: 'Bearer of-the-client',
  cookie: 'a=b',
  'impersonate-user': 'system:admin',
}
const agreed = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\nset-cookie: x=y\r\n\r\n'

function open(port: number): Promise<{ response: IncomingMessage; socket?: Duplex }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, method: 'POST', headers })
    sent.once('upgrade', (response, socket) => resolve({ response, socket }))
    sent.once('response', (response) => resolve({ response }))
    sent.once('error', reject)
    sent.end()
  })
}

t.test('in the name of the tenant, with what belongs to the session and nothing else', async (t) => {
  const { port, seen } = await stage(t, (socket) => {
    socket.write(agreed)
    socket.pipe(socket)
  })
  const { response, socket } = await open(port)
  t.equal(response.statusCode, 101)
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(seen.request?.url, path)
  const { host: _, ...told } = seen.request?.headers ?? {}
  t.same(told, {
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
    'gemeentecloud-where-active': 'true',
    'x-stream-protocol-version': 'v4.channel.k8s.io',
    authorization: 'Bearer ours',
    'impersonate-user': 'gc:pty_1:jan',
    'impersonate-group': 'gc:pty_1:consumer',
    'content-length': '0',
  })
  const sent = createHash('sha256')
  const came = createHash('sha256')
  let left = 16 * 2 ** 20
  const finished = new Promise<void>((resolve) => {
    socket?.on('data', (chunk: Buffer) => {
      came.update(chunk)
      left -= chunk.length
      if (left === 0) resolve()
    })
  })
  for (let part = 0; part < 16; part++) {
    const bytes = randomBytes(2 ** 20)
    sent.update(bytes)
    if (!socket?.write(bytes)) await new Promise((resolve) => socket?.once('drain', resolve))
  }
  await finished
  t.equal(came.digest('hex'), sent.digest('hex'), '16 MiB there and back')
  const closed = new Promise((resolve) => socket?.once('close', resolve))
  socket?.end()
  await closed
})

t.test('what is not agreed to is an answer, after which nobody speaks to the API server any more', async (t) => {
  const status = JSON.stringify(statusOf(403, 'pods "b" is forbidden'))
  let bytes = 0
  let closed = false
  const { port } = await stage(t, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    socket.once('end', () => {
      closed = true
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.write(
      `HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: ${status.length}\r\n\r\n${status}`,
    )
  })
  const { response, socket } = await open(port)
  t.equal(socket, undefined)
  t.equal(response.statusCode, 403)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  t.match(Buffer.concat(chunks).toString(), 'pods "b" is forbidden')
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
  t.equal(bytes, 0)
})

t.test('only sessions, and only in protocols that are known', async (t) => {
  const target = (text: string) => {
    const read = readTarget('GET', text)
    return (read.ok ? read.target : undefined) as Resource
  }
  for (const upgrade of ['websocket', 'WebSocket', 'SPDY/3.1'])
    t.doesNotThrow(() => requireUpgradable(target('/api/v1/namespaces/a/pods/b/exec'), upgrade))
  for (const upgrade of ['h2c', 'TLS/1.0', '', undefined, 'websocket, h2c'])
    t.throws(() => requireUpgradable(target('/api/v1/namespaces/a/pods/b/exec'), upgrade), { code: 'BadRequest' })
  for (const path of ['/api/v1/namespaces/a/pods', '/api/v1/namespaces/a/pods/b', '/api/v1/namespaces/a/pods/b/log'])
    t.throws(() => requireUpgradable(target(path), 'websocket'), { code: 'BadRequest' }, path)
})

t.test('a datacenter that does not know the gateway any more is unavailable, and its client still known', async (t) => {
  const { port } = await stage(t, (socket) => socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}'))
  const { response } = await open(port)
  t.equal(response.statusCode, 503)
})
