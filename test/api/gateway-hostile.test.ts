/** Bytes at the door of the gateway that nobody means well with: read in one way or refused, and bounded for each party. */
import { connect } from 'node:tls'
import t, { type Test } from 'tap'
import { ownIdentity, startGateway } from '../../services/gateway/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { until } from '../support/until.ts'

interface Door {
  readonly api: TestApi
  /** Sends bytes as they are, and gives all that came until the gateway closed or `enough` has come. */
  raw(bytes: string | Buffer, enough?: RegExp): Promise<string>
  /** A connection on which nothing is sent yet. */
  open(): Promise<{ said(): string; isClosed(): boolean; write(bytes: string | Buffer): void; end(): void }>
}

async function door(t: Test, limits: NonNullable<Parameters<typeof startGateway>[1]['limits']> = {}): Promise<Door> {
  const api = await testApi(t)
  const identity = await ownIdentity(t.testdir(), ['127.0.0.1'], api.kit)
  const gateway = await startGateway(api.kit, {
    host: '127.0.0.1',
    port: 0,
    identity,
    encryptionKey: new Uint8Array(32),
    registry: createRegistry(),
    allowedAddresses: [],
    deskUrl: await api.listen(),
    limits,
  })
  t.teardown(() => gateway.stop())
  const port = Number(new URL(gateway.url).port)
  const open: Door['open'] = async () => {
    let text = ''
    let closed = false
    const socket = connect({ host: '127.0.0.1', port, ca: identity.ca })
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      closed = true
    })
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    t.teardown(() => socket.destroy())
    return {
      said: () => text,
      isClosed: () => closed,
      write: (bytes) => socket.write(bytes),
      end: () => socket.destroy(),
    }
  }
  const raw: Door['raw'] = async (bytes, enough) => {
    const connection = await open()
    connection.write(bytes)
    await until(() => connection.isClosed() || enough?.test(connection.said()) === true, 'an answer')
    connection.end()
    return connection.said()
  }
  return { api, open, raw }
}

const list = '/api/v1/namespaces'
const head = (api: TestApi, method: string, path: string, ...more: string[]) => {
  const own = ['Host: x', `Authorization: Bearer ${api.tokenOf('consumer')}`, ...more]
  return `${[`${method} ${path} HTTP/1.1`, ...own].join('\r\n')}\r\n\r\n`
}

t.test('what could be read in two ways is read in none', async (t) => {
  const { api, raw } = await door(t)
  const closing = (path: string, ...more: string[]) => head(api, 'GET', path, ...more, 'Connection: close')
  t.match(await raw(closing(list)), /^HTTP\/1.1 200 /, 'what is meant well comes through')
  for (const [code, bytes] of [
    [400, head(api, 'POST', list, 'Content-Length: 5', 'Transfer-Encoding: chunked')],
    [400, head(api, 'POST', list, 'Content-Length: 5', 'Content-Length: 6')],
    [400, head(api, 'POST', list, 'Transfer-Encoding: chunked, identity')],
    [400, head(api, 'POST', list, 'Transfer-Encoding: xchunked')],
    [400, closing(list, 'X: a\nImpersonate-User: admin')],
    [400, closing(list, 'Impersonate-User : admin')],
    [400, closing(list).replace('Host: x\r\n', '')],
    [400, closing(`https://elsewhere.example${list}`)],
    [400, closing(`${list}/a/../b`)],
    [400, closing(`${list}#/a`)],
    [403, closing(list, 'Impersonate-User: admin')],
    [403, closing(list, 'IMPERSONATE-GROUP: system:masters')],
    [403, closing(list, 'iMpErSoNaTe-ExTrA-Scopes: a', 'impersonate-extra-scopes: b')],
    [403, closing(list, 'Impersonate-Uid: 1')],
    [403, closing(list, 'X-Remote-Group: system:masters')],
    [405, head(api, 'TRACE', `${list}/a`, 'Connection: close')],
    [431, closing(list, `X-Long: ${'a'.repeat(50_000)}`)],
  ] as const) {
    const answer = await raw(bytes)
    t.match(answer, new RegExp(`^HTTP/1.1 ${code} `), bytes.slice(0, 200).replace(/Bearer \S+/, 'Bearer …'))
    t.notMatch(answer, /NamespaceList/)
  }
})

t.test('a token that stands there twice is one, and a stranger learns nothing of a path', async (t) => {
  const { api, raw } = await door(t)
  const twice = `GET ${list} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer none\r\n`
  const answer = await raw(`${twice}Authorization: Bearer ${api.tokenOf('consumer')}\r\nConnection: close\r\n\r\n`)
  t.match(answer, /^HTTP\/1.1 401 /, 'the first')
  const stranger = async (path: string, ...more: string[]) => {
    const lines = [`GET ${path} HTTP/1.1`, 'Host: x', ...more, 'Connection: close']
    return (await raw(`${lines.join('\r\n')}\r\n\r\n`)).replace(/Date: .*\r\n/, '')
  }
  const same = await stranger(list)
  t.match(same, /^HTTP\/1.1 401 /)
  for (const path of [`${list}/a`, '/no/such', '/api/v1/secrets?labelSelector=', `${list}/../x`])
    t.equal(await stranger(path), same, path)
  t.equal(await stranger(list, 'Impersonate-User: admin'), same)
})

t.test('an upgrade that is none of ours ends, and what was sent behind it is no request', async (t) => {
  const { api, raw } = await door(t)
  const hidden = head(api, 'GET', list)
  const asks = ['Upgrade: websocket', 'Connection: Upgrade', `Content-Length: ${hidden.length}`]
  for (const path of [list, `${list}/a/pods/b/exec`, `${list}/a/pods/b`, '/version']) {
    const answer = await raw(head(api, 'GET', path, ...asks) + hidden)
    t.match(answer, /^HTTP\/1.1 40[04] /, path)
    t.equal(answer.match(/HTTP\/1.1 /g)?.length, 1, 'one answer')
  }
})

t.test('the bodies of a party have so much room together, and another party its own', async (t) => {
  const { api, open, raw } = await door(t, { bodyBytes: 256 * 1024 })
  const post = (api: TestApi, length: number) =>
    head(api, 'POST', '/apis/hosting.gemeentecloud.nl/v1/hostingrequests', `Content-Length: ${length}`)
  const slow = await open()
  slow.write(post(api, 2 ** 20))
  slow.write(Buffer.alloc(200 * 1024, 32))
  // Until its bytes are there, another has room.
  const other = post(api, 128 * 1024) + ' '.repeat(128 * 1024)
  await until(async () => /^HTTP\/1.1 429 /.test(await raw(other, /\r\n\r\n/)), 'there to be no room')
  t.match(await raw(other, /"code"/), /your party may have 262144 bytes of bodies at a time/)
  const second = await api.newParty('consumer')
  const ofSecond = other.replace(api.tokenOf('consumer'), second.token)
  t.match(await raw(ofSecond, /\r\n\r\n/), /^HTTP\/1.1 400 /, 'read, and no object')
  slow.end()
  await until(async () => /^HTTP\/1.1 400 /.test(await raw(other, /\r\n\r\n/)), 'room again when it is gone')
})

t.test('a review is small, for it goes to many places', async (t) => {
  const { api, raw } = await door(t)
  const body = JSON.stringify({ kind: 'SelfSubjectAccessReview', spec: {}, padding: 'x'.repeat(70_000) })
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const answer = await raw(head(api, 'POST', path, `Content-Length: ${body.length}`) + body, /\r\n\r\n/)
  t.match(answer, /^HTTP\/1.1 413 /)
})
