/** The target of a request is read in one way or not at all. */
import fc from 'fast-check'
import t from 'tap'
import { type Resource, readTarget } from '../../../services/gateway/target.ts'

const resource = (method: string, target: string) => {
  const read = readTarget(method, target)
  if (!read.ok || read.target.kind !== 'resource') return undefined
  const { path: _, query: __, kind: ___, ...rest } = read.target
  return rest
}
const code = (method: string, target: string) => {
  const read = readTarget(method, target)
  return read.ok ? 200 : read.code
}

t.test('what is asked', async (t) => {
  const core = { group: '', version: 'v1' }
  t.same(resource('GET', '/api/v1/namespaces/a/pods'), { ...core, resource: 'pods', namespace: 'a', verb: 'list' })
  t.same(resource('GET', '/api/v1/pods?watch=true'), { ...core, resource: 'pods', verb: 'watch' })
  t.same(resource('GET', '/api/v1/namespaces'), { ...core, resource: 'namespaces', verb: 'list' })
  t.same(resource('GET', '/api/v1/namespaces/a'), { ...core, resource: 'namespaces', name: 'a', verb: 'get' })
  t.same(resource('PUT', '/api/v1/namespaces/a/finalize'), {
    ...core,
    resource: 'namespaces',
    name: 'a',
    subresource: 'finalize',
    verb: 'update',
  })
  t.same(resource('PATCH', '/apis/apps/v1/namespaces/a/deployments/web/scale'), {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    namespace: 'a',
    name: 'web',
    subresource: 'scale',
    verb: 'patch',
  })
  t.match(resource('DELETE', '/api/v1/namespaces/a/pods'), { verb: 'deletecollection' })
  t.match(resource('DELETE', '/api/v1/namespaces/a/pods/b'), { verb: 'delete' })
  t.match(resource('POST', '/api/v1/namespaces/a/pods'), { verb: 'create' })
  for (const path of [
    '/',
    '/api',
    '/apis',
    '/apis/apps',
    '/apis/apps/v1',
    '/openapi/v3/apis/apps/v1?hash=x',
    '/version',
  ])
    t.match(readTarget('GET', path), { ok: true, target: { kind: 'document' } }, path)
})

t.test('what could be read in two ways is refused', async (t) => {
  for (const path of [
    '',
    '*',
    'http://elders/api/v1/pods',
    '//api/v1/pods',
    '/api/v1/',
    '/api/v1/namespaces//pods',
    '/api/v1/namespaces/./pods',
    '/api/v1/namespaces/a/../b/pods',
    '/api/v1/namespaces/a/%2e%2e/b/pods',
    '/api/v1/namespaces/a%2fb/pods',
    '/api/v1/namespaces/a\\b/pods',
    '/api/v1/namespaces/a\0/pods',
    '/api/v1/namespaces/a pods',
    '/api/v1/namespaces/é/pods',
    '/api/v1/pods?labelSelector=a&labelSelector=b',
    '/api/v1/pods?labelSelector=',
    '/api/v1/pods?fieldSelector=%20',
    '/api/v1/pods?watch=',
    '/api/v1/pods?watch=yes',
    '/api/v1/pods?watch=true&watch=false',
    '/api/v1/pods?limit=1&limit=2',
    '/api/v1/pods?labelSelector=%zz',
    '/api/v1/pods?labelSelector=a%00',
    '/api/v1/pods?labelSelector=é',
  ])
    t.equal(code('GET', path), 400, path)
  for (const path of [
    '/api/v1/namespaces/A/pods',
    '/api/v1/namespaces/a.b/pods',
    '/api/v1/PODS',
    '/api/x/pods',
    '/api/v1/watch/namespaces/a/pods',
    '/api/v1/namespaces/a/pods/b/log/c',
  ])
    t.equal(code('GET', path), 404, path)
  for (const [method, path] of [
    ['HEAD', '/api/v1/pods'],
    ['OPTIONS', '/api/v1/namespaces/a/pods'],
    ['PUT', '/api/v1/namespaces/a/pods'],
    ['PATCH', '/api/v1/namespaces/a/pods'],
    ['POST', '/version'],
    ['CONNECT', '/api'],
  ] as const)
    t.equal(code(method, path), 405, `${method} ${path}`)
  t.equal(code('GET', `/api/v1/namespaces/${'a'.repeat(3_000)}`), 414)
  t.equal(code('GET', `/api/v1/pods?labelSelector=${'a'.repeat(20_000)}`), 414)
})

t.test('a command of a session may have many words', async (t) => {
  const read = readTarget(
    'POST',
    '/api/v1/namespaces/a/pods/b/exec?command=sh&command=-c&command=a+%26%26%0Ab&stdin=true',
  )
  t.ok(read.ok)
  if (read.ok) t.same(read.target.query.getAll('command'), ['sh', '-c', 'a &&\nb'])
})

const hostile = fc.constantFrom(
  '..',
  '.',
  '%2e',
  '%2E%2e',
  '%2f',
  '/',
  '//',
  '\\',
  '%5c',
  '%00',
  '\0',
  ';',
  '?',
  '#',
  '@',
  ':',
  'a',
  'namespaces',
  'pods',
  'v1',
  'api',
  'apis',
  '%',
  'é',
  '\r\n',
  ' ',
)

t.test('whatever is sent: what is accepted is what an API server reads in the same path', async () => {
  fc.assert(
    fc.property(
      fc.array(hostile, { maxLength: 14 }),
      fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH'),
      (parts, method) => {
        const target = `/api/v1/namespaces/eigen/${parts.join('')}`
        const read = readTarget(method, target)
        if (!read.ok || read.target.kind !== 'resource') return true
        const { path, namespace, resource: what, name } = read.target as Resource
        // As Go's net/http and every proxy between would clean it.
        const cleaned = new URL(path, 'https://x').pathname
        if (cleaned !== path || decodeURIComponent(path) !== path || /[\\\0-\x20]/.test(path)) return false
        const [, , , first, second, third, fourth] = path.split('/')
        if (first !== 'namespaces' || second !== 'eigen') return false
        return namespace === undefined
          ? what === 'namespaces' && name === 'eigen'
          : namespace === 'eigen' && what === third && name === fourth
      },
    ),
    { numRuns: 20_000 },
  )
})

t.test('text of any kind throws nothing', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      readTarget('GET', text)
      readTarget('GET', `/api/v1/pods?${text}`)
    }),
    { numRuns: 5_000 },
  )
})
