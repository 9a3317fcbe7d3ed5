/** What a client sends, what it makes of every answer, and where it does not go. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { KubernetesError, Unreachable } from '../../../../services/shared/kubernetes/index.ts'
import { clientOf, discovery, json, refuse, type Seen, startApiServer } from './api-server.ts'
import { createAuthority } from './authority.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', name: 'web', namespace: 'shop' }

t.test('token, certificate and nothing else is shown', async (t) => {
  const server = await startApiServer(t, (_, response) =>
    json(response, { gitVersion: 'v1.36.1', major: '1', minor: '36' }),
  )
  const byToken = await clientOf(t, server.connection)
  t.match(await byToken.version(), { gitVersion: 'v1.36.1' })
  t.same(server.seen[0]?.headers, {
    accept: 'application/json',
    authorization: 'Bearer secret-token',
    connection: 'keep-alive',
    host: `127.0.0.1:${server.port}`,
    'user-agent': 'gemeentecloud',
  })
  t.equal(server.seen[0]?.client, undefined)

  const { cert, key } = server.authority.issue('robot')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const { caData } = server.connection
  const connection = { server: server.url, caData, certData: base64(cert), keyData: base64(key) }
  const byCertificate = await clientOf(t, connection)
  await byCertificate.version()
  t.equal(server.seen[1]?.client, 'robot')
  t.notHas(server.seen[1]?.headers, 'authorization')
})

t.test('calls', async (t) => {
  const server = await startApiServer(t, (call, response) => {
    if (discovery(call, response)) return
    if (call.url.pathname === '/api/v1/namespaces/shop/pods/none') return refuse(response, 404, 'NotFound', 'none')
    if (call.method === 'GET' && call.url.pathname.endsWith('/pods')) {
      return json(response, {
        metadata: { resourceVersion: '7', continue: 'next' },
        items: [{ metadata: { name: 'web' } }],
      })
    }
    json(response, { kind: 'Pod', metadata: { name: 'web' } })
  })
  const client = await clientOf(t, server.connection)
  const last = () => {
    const { method, url, body } = server.seen.at(-1) as Seen
    return { call: `${method} ${url.pathname}${url.search}`, body: body && JSON.parse(body) }
  }

  t.match(await client.read(pod), { metadata: { name: 'web' } })
  t.match(last(), { call: 'GET /api/v1/namespaces/shop/pods/web' })
  t.equal(await client.read({ ...pod, name: 'none' }), undefined)

  t.same(await client.list(pod, { namespace: 'shop', labelSelector: 'a=b,c', limit: 5 }), {
    items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } }],
    resourceVersion: '7',
    bytes: 92,
    continue: 'next',
  })
  t.match(last(), { call: 'GET /api/v1/namespaces/shop/pods?labelSelector=a%3Db%2Cc&limit=5' })
  await client.list(pod)
  t.match(last(), { call: 'GET /api/v1/pods' })

  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: {} }
  await client.apply(manifest, { fieldManager: 'tester', force: true })
  t.same(last(), { call: 'PATCH /api/v1/namespaces/shop/pods/web?fieldManager=tester&force=true', body: manifest })
  t.match(server.seen.at(-1)?.headers, { 'content-type': 'application/apply-patch+yaml' })
  await client.apply(manifest, { fieldManager: 'tester', dryRun: true })
  t.match(last(), { call: 'PATCH /api/v1/namespaces/shop/pods/web?fieldManager=tester&force=false&dryRun=All' })

  await client.create(manifest)
  t.same(last(), { call: 'POST /api/v1/namespaces/shop/pods', body: manifest })
  await client.patch(pod, { metadata: { finalizers: null } }, { fieldManager: 'tester' })
  t.match(last(), { call: 'PATCH /api/v1/namespaces/shop/pods/web?fieldManager=tester', body: { metadata: {} } })
  t.match(server.seen.at(-1)?.headers, { 'content-type': 'application/merge-patch+json' })

  t.equal(await client.remove(pod, { preconditions: { uid: 'u1' } }), true)
  t.same(last(), {
    call: 'DELETE /api/v1/namespaces/shop/pods/web',
    body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions: { uid: 'u1' } },
  })
  t.equal(await client.remove({ ...pod, name: 'none' }), false)

  t.equal(server.seen.filter(({ url }) => url.pathname === '/api/v1').length, 1, 'discovery is asked once')
  t.equal(server.connections(), 1, 'one connection is kept and used again')
})

t.test('names cannot become other paths', async (t) => {
  const server = await startApiServer(t, (call, response) => {
    if (!discovery(call, response)) json(response, {})
  })
  const client = await clientOf(t, server.connection)
  await client.list(pod)
  const asked = server.seen.length
  for (const name of ['..', '.', '', 'a/b', 'a%2fb', 'a?b', 'a#b', 'a\nb', 'a\\b', 'x'.repeat(254)]) {
    await t.rejects(client.read({ ...pod, name }), RangeError, JSON.stringify(name))
    if (name) await t.rejects(client.read({ ...pod, namespace: name }), RangeError)
  }
  for (const path of ['//evil.example/x', 'https://evil.example/', 'api', ''])
    await t.rejects(client.get(path), RangeError)
  await t.rejects(client.list({ apiVersion: '../v1', kind: 'Pod' }), RangeError)
  await t.rejects(client.read({ apiVersion: 'v1', kind: 'Pod', name: 'web' }), { message: /needs a namespace/ })
  await t.rejects(client.apply({ apiVersion: 'v1', kind: 'Pod' }, { fieldManager: 'x' }), { message: /needs a name/ })
  t.equal(server.seen.length, asked, 'nothing was sent')
  const unknown = client.list({ apiVersion: 'v1', kind: 'Unknown' })
  t.match(await unknown.catch((error: Error) => error), { status: 404 })
})

t.test('refusals', async (t) => {
  const server = await startApiServer(t, ({ url }, response) => {
    if (url.pathname === '/redirect') response.writeHead(307, { location: `https://127.0.0.1:1/secret` }).end()
    else if (url.pathname === '/proxy') response.writeHead(502).end('<html>Bad Gateway</html>')
    else if (url.pathname === '/html') response.writeHead(200).end('<html>hello</html>')
    else refuse(response, 409, 'Conflict', `field is owned\u001b[31m by "kubectl"\n${'x'.repeat(2000)}`)
  })
  const client = await clientOf(t, server.connection)
  const conflict = (await client.get('/conflict').catch((error: Error) => error)) as Error
  t.type(conflict, KubernetesError)
  t.match(conflict, { status: 409, reason: 'Conflict', message: /^field is owned \[31m by "kubectl" xx/ })
  t.ok(conflict.message.length <= 500)
  await t.rejects(client.get('/redirect'), { status: 307, message: /redirect, which is not followed/ })
  await t.rejects(client.get('/proxy'), { status: 502, message: /answered 502/ })
  await t.rejects(client.get('/html'), { name: 'Unreachable', message: /not JSON/ })
})

t.test('limits', async (t) => {
  const server = await startApiServer(t, ({ url }, response) => {
    if (url.pathname === '/large') json(response, 'x'.repeat(5000))
    if (url.pathname === '/cut') response.writeHead(200, { 'content-length': '100' }).write('{')
    if (url.pathname === '/cut') setImmediate(() => server.cut())
  })
  const client = await clientOf(t, server.connection, { limits: { requestMs: 300, answerBytes: 1000 } })
  await t.rejects(client.get('/silent'), { name: 'Unreachable', message: 'no answer within 0.3 s' })
  await t.rejects(client.get('/large'), { name: 'Unreachable', message: /larger than 1000 bytes/ })
  await t.rejects(client.get('/cut'), { name: 'Unreachable' })

  const mute = createServer().listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => mute.close())
  const { port } = mute.address() as { port: number }
  mute.on('connection', (socket) => t.teardown(() => socket.destroy()))
  const waiting = await clientOf(
    t,
    { ...server.connection, server: `https://127.0.0.1:${port}` },
    { limits: { connectMs: 200 } },
  )
  await t.rejects(waiting.version(), { name: 'Unreachable', message: 'no connection within 0.2 s' })
})

t.test(
  'a call that waited for a free connection has its whole time, and leaves nothing on the connection',
  async (t) => {
    const warnings: string[] = []
    const onWarning = ({ name }: Error) => warnings.push(name)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const held: ServerResponse[] = []
    const server = await startApiServer(t, ({ url }, response) => {
      if (url.pathname === '/slow') held.push(response)
      else json(response, { ok: true })
    })
    const client = await clientOf(t, server.connection, { limits: { connections: 1, connectMs: 1_000 } })
    const quick = Array.from({ length: 20 }, () => client.get('/quick'))
    const slow = client.get('/slow')
    await Promise.all(quick)
    await sleep(1_200)
    for (const response of held) json(response, { ok: true })
    t.same(await slow, { ok: true })
    t.equal(server.connections(), 1)
    t.same(warnings, [], 'no listeners pile up')
  },
)

t.test('a kept connection that the server closed is not an error', async (t) => {
  const server = await startApiServer(t, (_, response) => json(response, { ok: true }))
  const client = await clientOf(t, server.connection)
  await client.get('/a')
  for (let round = 0; round < 5; round++) {
    server.cut()
    t.same(await client.get('/a'), { ok: true })
  }
})

t.test('only the authority of the connection is trusted', async (t) => {
  const server = await startApiServer(t, (_, response) => json(response, {}))
  const caData = Buffer.from(createAuthority().ca).toString('base64')
  const stranger = await clientOf(t, { ...server.connection, caData })
  await t.rejects(stranger.version(), { name: 'Unreachable', message: /certificate|verify|signature/i })
  const misnamed = await startApiServer(t, (_, response) => json(response, {}), ['other.test'])
  const client = await clientOf(t, misnamed.connection)
  await t.rejects(client.version(), { name: 'Unreachable', message: /altname|not in the cert/i })
  t.equal(server.seen.length + misnamed.seen.length, 0, 'no credential was sent')
})

t.test('addresses that are refused are not connected to', async (t) => {
  const server = await startApiServer(t, (_, response) => json(response, { ok: true }))
  const strict = await clientOf(t, server.connection, { allowedAddresses: [] })
  await t.rejects(strict.version(), { code: 'ENDPOINT_REFUSED' })

  const named = { ...server.connection, server: `https://k8s.test:${server.port}` }
  const loopback = async () => [{ address: '127.0.0.1', family: 4 }]
  const rebound = await clientOf(t, named, { allowedAddresses: [], resolve: loopback })
  await t.rejects(rebound.version(), { name: 'Unreachable', message: /k8s.test resolves to 127.0.0.1, a loopback/ })
  t.equal(server.connections(), 0)

  const allowed = await clientOf(t, named, { resolve: loopback })
  t.same(await allowed.get('/x'), { ok: true })
})

t.test('a closed client ends what is under way and takes nothing new', async (t) => {
  const server = await startApiServer(t, () => undefined)
  const client = await clientOf(t, server.connection)
  const waiting = t.rejects(client.get('/silent'), { name: 'Unreachable', message: /closed/ })
  await client.close()
  await waiting
  await t.rejects(client.version(), Unreachable)
})
