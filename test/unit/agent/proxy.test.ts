/** The agent on the wire: what reaches the API server, and that no byte which leaves the agent holds its credential. */
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import pino from 'pino'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { kubeconfigAccess } from '../../../services/agent/index.ts'
import { createProxy } from '../../../services/agent/proxy.ts'
import { createAuthority } from '../shared/kubernetes/authority.ts'

const token = 'the-token-of-the-service-account'
const log = pino({ level: 'silent' })

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: string[]
  readonly body: string
}

/** An API server that tells whoever asks the credential that it was shown, in every place but a body. */
async function stage(
  t: Test,
  namespaces: Record<string, 'ours' | 'other'> = { zaak: 'ours', intern: 'other' },
  isActive?: (namespace: string) => boolean,
) {
  const authority = createAuthority()
  const { cert, key } = authority.issue('api', ['127.0.0.1'])
  const seen: Seen[] = []
  const api = createHttps({ cert, key }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', rawHeaders: headers } = request
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    const authorization = request.headers.authorization ?? ''
    const head = { 'content-type': 'application/json', 'set-cookie': `t=${authorization}`, 'x-echo': authorization }
    if (url.includes('moved')) response.writeHead(307, { ...head, location: `https://evil.example/?${authorization}` })
    else
      response.writeHead(url.includes('missing') ? 404 : 200, {
        ...head,
        authorization,
        'www-authenticate': authorization,
      })
    response.end('{"kind":"Any"}')
  })
  api.on('upgrade', (request, socket: Socket, head: Buffer) => {
    seen.push({ method: 'UPGRADE', url: request.url ?? '', headers: request.rawHeaders, body: head.toString() })
    if (request.url?.includes('refused')) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
      return
    }
    const echo = `x-echo: ${request.headers.authorization}`
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n${echo}\r\n\r\n`)
    socket.on('data', (bytes) => socket.write(`heard ${bytes}`))
  })
  api.listen(0, '127.0.0.1')
  await new Promise((resolve) => api.once('listening', resolve))
  const server = `https://127.0.0.1:${(api.address() as AddressInfo).port}`
  const cluster = { server, 'certificate-authority-data': Buffer.from(authority.ca).toString('base64') }
  const access = kubeconfigAccess(
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  const proxy = createProxy({
    access,
    log,
    namespaces: { find: async (name) => namespaces[name] ?? 'absent' },
    ...(isActive && { isActive }),
  })
  const pipes = createServer((socket) => proxy.emit('connection', socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => pipes.once('listening', resolve))
  t.teardown(() => {
    access.agent.destroy()
    api.closeAllConnections()
    api.close()
    pipes.close()
  })
  return { seen, exchange: (bytes: string) => exchange((pipes.address() as AddressInfo).port, bytes), api }
}

/** Sends bytes; gives all that came until the other end closed. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('latin1').on('data', (text) => {
      all += text
      if (all.includes('heard ')) socket.end()
    })
    socket.on('close', () => resolve(all)).on('error', reject)
  })
}

const line = (method: string, path: string, ...headers: string[]) =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: x', ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`

t.test(
  'what passes goes in the name of the agent, or of who is named by the desk, and with nothing else',
  async (t) => {
    const { seen, exchange } = await stage(t)
    const body = '{"a":1}'
    const head = [
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Authorization: Bearer of-the-desk',
    ]
    const path = '/api/v1/namespaces/zaak/configmaps?dryRun=All'
    const answer = await exchange(`${line('POST', path, ...head, 'Cookie: a=b', 'X-Any: 1')}${body}`)
    t.match(answer, /^HTTP\/1.1 200 OK[\s\S]*\{"kind":"Any"\}/)
    await exchange(
      line('GET', '/api/v1/namespaces/zaak/pods', 'Impersonate-User: gc:p:s', 'Impersonate-Group: gc:p:consumer'),
    )
    t.match(seen[0], { method: 'POST', url: path, body })
    const sent = seen.map(({ headers }) => headers.join('\n'))
    t.match(sent[0], `authorization\nBearer ${token}`)
    t.notMatch(sent[0], /of-the-desk|cookie|x-any/i)
    t.match(sent[1], 'impersonate-user\ngc:p:s\nimpersonate-group\ngc:p:consumer')
  },
)

t.test('what is refused does not reach the API server', async (t) => {
  const { seen, exchange } = await stage(t)
  for (const [status, bytes] of [
    [403, line('GET', '/api/v1/namespaces/intern/secrets')],
    [403, line('DELETE', '/api/v1/namespaces/intern')],
    [403, line('PATCH', '/api/v1/namespaces/intern')],
    [403, line('GET', '/api/v1/namespaces/none/secrets')],
    [403, line('GET', '/api/v1/namespaces/zaak/pods', 'Impersonate-User: system:admin')],
    [400, line('GET', '/api/v1/namespaces/zaak/../intern/secrets')],
    [400, line('GET', '/api/v1/namespaces/zaak/%2e%2e/intern/secrets')],
    [400, line('GET', 'http://x/api/v1/pods')],
    [400, line('GET', '/api/v1/pods', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    [400, `GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nConnection: close, accept\r\nAccept: a\r\n\r\n`],
    [400, `GET /api/v1/pods HTTP/1.1\r\nHost: x\r\nX: a\nImpersonate-User: gc:a\r\n\r\n`],
  ] as const) {
    const answer = await exchange(bytes)
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.split('\r\n')[0] ?? '')
    if (status === 403) t.match(answer, /"kind":"Status"[\s\S]*"reason":"Forbidden"/)
  }
  t.same(seen, [])
})

t.test('what is meant for where the hosting is active is refused where it is not', async (t) => {
  let isActive = false
  const { seen, exchange } = await stage(t, { zaak: 'ours' }, (namespace) => namespace !== 'zaak' || isActive)
  const path = '/api/v1/namespaces/zaak/pods'
  const marked = line('DELETE', `${path}/web`, 'Gemeentecloud-Where-Active: true')
  t.match(await exchange(marked), /^HTTP\/1.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*"reason":"ServiceUnavailable"/i)
  const exec = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: abc',
    'Gemeentecloud-Where-Active: true',
  ]
  t.match(
    await exchange(line('GET', `${path}/web/exec`, ...exec).replace('Connection: close\r\n', '')),
    /^HTTP\/1.1 503 /,
  )
  t.same(seen, [], 'neither reached the API server')
  await exchange(line('DELETE', `${path}/web`))
  t.equal(seen.length, 1, 'what the desk itself does is meant for where it is')
  isActive = true
  t.match(await exchange(marked), /^HTTP\/1.1 200 /)
  t.notMatch(seen[1]?.headers.join('\n'), /where-active/i, 'which is no business of the API server')
})

t.test('an upgrade passes both ways once the API server has agreed, and else ends the connection', async (t) => {
  const asks = ['Upgrade: websocket', 'Sec-WebSocket-Key: abc']
  const upgrade = (path: string, ...more: string[]) =>
    `${[`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: Upgrade', ...asks, ...more].join('\r\n')}\r\n\r\n`
  const world = await stage(t)
  const answer = await world.exchange(`${upgrade('/api/v1/namespaces/zaak/pods/web/exec?command=sh')}ls`)
  t.match(answer, /^HTTP\/1.1 101 Switching Protocols[\s\S]*heard ls$/)
  const refused = await world.exchange(
    `${upgrade('/api/v1/namespaces/zaak/pods/refused/exec')}GET /api/v1/secrets HTTP/1.1`,
  )
  t.match(refused, /^HTTP\/1.1 403 [\s\S]*\{\}$/)
  t.match(await world.exchange(upgrade('/api/v1/namespaces/zaak/pods')), /^HTTP\/1.1 403 /)
  t.match(await world.exchange(upgrade('/api/v1/namespaces/intern/pods/web/exec')), /^HTTP\/1.1 403 /)
  t.same(
    world.seen.map(({ method, body }) => `${method} ${body}`),
    ['UPGRADE ', 'UPGRADE '],
    'no byte of the client before the answer',
  )
})

t.test('what stands in a body is never the next request', async (t) => {
  const { seen, exchange } = await stage(t)
  const hidden = 'GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\nImpersonate-User: admin\r\n\r\n'
  const chunked = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
  const path = '/api/v1/namespaces/zaak/configmaps'
  for (const method of ['DELETE', 'GET', 'POST', 'PUT', 'PATCH']) {
    await exchange(`${line(method, path, 'Transfer-Encoding: chunked')}${chunked}`)
    await exchange(`${line(method, path, `Content-Length: ${hidden.length}`)}${hidden}`)
    // On the connection that was kept, whatever is left of the one before would come first.
    t.match(await exchange(line('GET', '/api/v1/nodes')), /^HTTP\/1.1 200 /)
  }
  const asked = ['DELETE', 'GET', 'POST', 'PUT', 'PATCH'].flatMap((method) => [
    [method, path, hidden],
    [method, path, hidden],
    ['GET', '/api/v1/nodes', ''],
  ])
  t.same(
    seen.map(({ method, url, body }) => [method, url, body]),
    asked,
  )
})

t.test('what asks for another protocol has no body', async (t) => {
  const { seen, exchange } = await stage(t)
  const upgrade = (...more: string[]) => {
    const asks = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: abc', ...more]
    return `${['GET /api/v1/namespaces/zaak/pods/refused/exec HTTP/1.1', 'Host: x', ...asks].join('\r\n')}\r\n\r\n`
  }
  t.match(await exchange(`${upgrade('Content-Length: 7')}1234567`), /^HTTP\/1.1 400 /)
  t.match(await exchange(`${upgrade('Transfer-Encoding: chunked')}0\r\n\r\n`), /^HTTP\/1.1 400 /)
  t.same(seen, [])
  t.match(await exchange(upgrade('Content-Length: 0')), /^HTTP\/1.1 403 /, 'as kubectl sends it')
  t.match(await exchange(line('GET', '/api/v1/nodes')), /^HTTP\/1.1 200 /, 'and the next is whole')
})

t.test('no byte that leaves the agent holds its credential, wherever the API server puts it', async (t) => {
  const { exchange, api, seen } = await stage(t)
  const asked = [
    line('GET', '/version'),
    line('GET', '/api/v1/namespaces/zaak/configmaps/missing'),
    line('GET', '/api/v1/namespaces/zaak/configmaps/moved'),
    line('GET', '/api/v1/namespaces/intern/secrets'),
    line('GET', '/api/v1/namespaces/zaak/serviceaccounts/default/token'),
    'GET /api/v1/namespaces/zaak/pods/web/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nls',
    'nonsense\r\n\r\n',
  ]
  const left = []
  for (const bytes of asked) left.push(await exchange(bytes))
  t.match(left[2], /^HTTP\/1.1 502 [\s\S]*redirect/, 'a redirect leads nowhere')
  api.close()
  api.closeAllConnections()
  left.push(await exchange(line('GET', '/version')))
  t.match(left.at(-1), /^HTTP\/1.1 503 /)
  t.ok(
    seen.some(({ headers }) => headers.join().includes(token)),
    'the API server was shown it',
  )
  t.notMatch(left.join('\n'), token)
  t.notMatch(left.join('\n'), Buffer.from(token).toString('base64').slice(0, 20))
})

t.test('one connection to the API server does for requests one after the other, with a body and without', async (t) => {
  const { exchange, seen, api } = await stage(t)
  const connections: unknown[] = []
  api.on('secureConnection', (socket) => connections.push(socket))
  const path = '/api/v1/namespaces/zaak/configmaps'
  const body = '{"kind":"ConfigMap"}'
  const post = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  for (let round = 0; round < 3; round++) {
    t.match(await exchange(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 200 /)
    t.match(await exchange(`${post}Connection: close\r\n\r\n${body}`), /^HTTP\/1\.1 200 /)
  }
  t.same([...new Set(seen.map((each) => each.body))], ['', body])
  t.equal(connections.length, 1)
})
