/** What the desk may ask of a cluster: the way it works, and every way around it that was thought of. */
import fc from 'fast-check'
import t from 'tap'
import { allow } from '../../../services/agent/allow.ts'
import { readHeaders } from '../../../services/agent/headers.ts'

const ask = (method: string, target: string, more: { impersonated?: boolean; upgrade?: boolean } = {}) =>
  allow({ method, target, impersonated: false, upgrade: false, ...more })
const outcome = (method: string, target: string, more = {}) => {
  const verdict = ask(method, target, more)
  if (!verdict.ok) return verdict.status
  return verdict.within === undefined ? 'yes' : `${verdict.within}${verdict.orAbsent ? ' or absent' : ''}`
}

t.test('what the desk does', async (t) => {
  for (const target of [
    '/version',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/apps/v1',
    '/openapi/v2',
    '/openapi/v3/apis/apps/v1?hash=4A',
    '/api/v1/nodes?watch=true&resourceVersion=0',
    '/api/v1/pods?limit=500&continue=abc%3D',
    '/api/v1/namespaces?labelSelector=gemeentecloud.nl%2Fhosting',
    '/api/v1/namespaces/kube-system',
    '/apis/storage.k8s.io/v1/storageclasses',
    '/apis/networking.k8s.io/v1/networkpolicies?labelSelector=a',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/gemeentecloud-tenant',
  ])
    t.equal(outcome('GET', target), 'yes', target)
  t.equal(outcome('POST', '/api/v1/namespaces?fieldManager=gemeentecloud'), 'yes')
  t.equal(outcome('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'), 'yes')
  t.equal(outcome('PATCH', '/api/v1/namespaces/zaak-prod?fieldManager=gemeentecloud&force=true'), 'zaak-prod or absent')
  t.equal(outcome('DELETE', '/api/v1/namespaces/zaak-prod'), 'zaak-prod or absent')
  t.equal(outcome('PATCH', '/api/v1/namespaces/zaak-prod/resourcequotas/gemeentecloud'), 'zaak-prod')
  t.equal(outcome('GET', '/api/v1/namespaces/zaak-prod', { impersonated: true }), 'zaak-prod')
  t.equal(outcome('POST', '/apis/apps/v1/namespaces/zaak-prod/deployments', { impersonated: true }), 'zaak-prod')
  t.equal(outcome('GET', '/api/v1/namespaces/zaak-prod/pods/web-1/exec?command=sh', { upgrade: true }), 'zaak-prod')
})

t.test('what copies volumes, and nothing else of the namespace that does', async (t) => {
  const of = (rest: string) => `/apis/velero.io/v1/namespaces/velero/${rest}`
  for (const [method, rest] of [
    ['GET', 'schedules/gemeentecloud-zaak'],
    ['PATCH', 'schedules/gemeentecloud-zaak?fieldManager=a'],
    ['GET', 'backups?labelSelector=a'],
    ['PATCH', 'restores/gemeentecloud-zaak-opr-1'],
  ] as const)
    t.equal(outcome(method, of(rest)), 'yes', `${method} ${rest}`)
  for (const [method, target, more] of [
    ['DELETE', of('backups/gemeentecloud-zaak-1')],
    ['PATCH', of('backups/gemeentecloud-zaak-1')],
    ['GET', of('backupstoragelocations')],
    ['POST', of('downloadrequests')],
    ['PATCH', of('restores/one/status')],
    ['GET', of('backups'), { impersonated: true }],
    ['GET', '/api/v1/namespaces/velero/secrets'],
    ['GET', '/apis/velero.io/v1/namespaces/elders/backups'],
    ['GET', of('constructor')],
  ] as const)
    t.equal(outcome(method, target, more), target.includes('elders') ? 'elders' : 'velero', `${method} ${target}`)
  t.equal(outcome('GET', '/apis/velero.io/v1/backups'), 403)
})

t.test('what it does not do, though a role might let it', async (t) => {
  for (const [method, target, more] of [
    ['GET', '/api/v1/secrets'],
    ['GET', '/api/v1/configmaps'],
    ['DELETE', '/api/v1/nodes/node-1'],
    ['GET', '/api/v1/nodes/node-1/proxy/metrics'],
    ['GET', '/api/v1/nodes/node-1/proxy'],
    ['POST', '/api/v1/namespaces', { impersonated: true }],
    ['DELETE', '/api/v1/namespaces'],
    ['PUT', '/api/v1/namespaces/zaak-prod'],
    ['PUT', '/api/v1/namespaces/zaak-prod/finalize'],
    ['PATCH', '/api/v1/namespaces/zaak-prod/status'],
    ['PATCH', '/api/v1/namespaces/zaak-prod', { impersonated: true }],
    ['GET', '/api/v1/namespaces', { impersonated: true }],
    ['GET', '/api/v1/nodes', { impersonated: true }],
    ['POST', '/api/v1/namespaces/zaak-prod/serviceaccounts/default/token'],
    ['GET', '/api/v1/namespaces/zaak-prod/services/web/proxy'],
    ['GET', '/api/v1/namespaces/zaak-prod/services/web/proxy/admin'],
    ['GET', '/api/v1/namespaces/zaak-prod/pods/web/log', { upgrade: true }],
    ['GET', '/api/v1/namespaces', { upgrade: true }],
    ['GET', '/version', { upgrade: true }],
    ['POST', '/version'],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin'],
    ['POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews'],
    ['GET', '/metrics'],
    ['GET', '/logs/kube-apiserver.log'],
    ['GET', '/debug/pprof'],
    ['GET', '/api/v2/pods'],
    ['GET', '/api/v1/watch/secrets'],
    ['GET', '/apis/apps/v1/nodes'],
  ] as const)
    t.equal(outcome(method, target, more), 403, `${method} ${target}`)
})

t.test('a path has one reading or none', async (t) => {
  for (const target of [
    '',
    '/',
    '*',
    'api/v1/pods',
    'http://kubernetes.default/api/v1/pods',
    '//api/v1/pods',
    '/api/v1//pods',
    '/api/v1/pods/',
    '/api/v1/../v1/pods',
    '/api/v1/namespaces/zaak/../kube-system/secrets',
    '/api/v1/namespaces/zaak/%2e%2e/kube-system/secrets',
    '/api/v1/namespaces/zaak/%2E%2E/kube-system/secrets',
    '/api/v1/namespaces/zaak%2f..%2fkube-system/secrets',
    '/api/v1/namespaces/zaak/..%2fkube-system/secrets',
    '/api/v1/namespaces/./zaak/pods',
    '/api/v1/%6eodes',
    '/api\\v1\\pods',
    '/api/v1/namespaces/zaak/pods;x=/..',
    '/api/v1/pods#/x',
    '/api/v1/pods?a#b',
    '/api/v1/pods?a?b',
    '/api/v1/pods?a b',
    '/api/v1/po\u0000ds',
    '/api/v1/pods?\\',
    `/api/v1/pods?a=${'a'.repeat(9_000)}`,
  ])
    t.equal(outcome('GET', target), 400, JSON.stringify(target.slice(0, 80)))
  for (const method of ['CONNECT', 'OPTIONS', 'HEAD', 'TRACE', 'get', 'PROPFIND'])
    t.equal(outcome(method, '/version'), 400, method)
})

t.test('whatever is asked: what passes is canonical, and leads nowhere but where it was checked', async () => {
  const part = fc.oneof(
    fc.constantFrom(
      'api',
      'apis',
      'v1',
      'namespaces',
      'kube-system',
      'secrets',
      'pods',
      'proxy',
      'token',
      'exec',
      '..',
    ),
    fc.constantFrom('.', '%2e%2e', '', 'serviceaccounts', 'nodes', 'status', 'finalize', 'a%2fb', 'x'),
    fc.string({ maxLength: 4 }),
  )
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
  fc.assert(
    fc.property(method, fc.array(part, { maxLength: 9 }), fc.boolean(), fc.boolean(), (method, parts, ...flags) => {
      const [impersonated, upgrade] = flags
      const target = `/${parts.join('/')}`
      const verdict = allow({ method, target, impersonated, upgrade })
      if (!verdict.ok) return true
      const resolved = new URL(verdict.path, 'https://cluster.invalid')
      if (resolved.pathname !== verdict.path.split('?')[0] || /[%\\]|\/\//.test(resolved.pathname)) return false
      const inside = /\/namespaces\/([^/]+)\/./.exec(resolved.pathname)?.[1]
      if (inside !== undefined && verdict.within !== inside) return false
      return !/\/namespaces\/[^/]+\/([^/]+\/[^/]+\/proxy|serviceaccounts\/[^/]+\/token)(\/|$)/.test(resolved.pathname)
    }),
    { numRuns: 5_000 },
  )
})

const headersOf = (...raw: string[]) => {
  const read = readHeaders(raw)
  return read.ok ? { ...read.headers, ...(read.groups.length > 0 && { groups: read.groups }) } : read.status
}

t.test('credentials and what is not known stay behind', async (t) => {
  t.same(
    headersOf(
      ...['Accept', 'application/json', 'Authorization', 'Bearer stolen', 'Cookie', 'a=b', 'X-Own', '1'],
      ...['Host', 'evil.example', 'Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'],
    ),
    { accept: 'application/json', 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  )
})

t.test('only names of the desk are acted for', async (t) => {
  t.same(headersOf('Impersonate-User', 'gc:pty_1:ci', 'Impersonate-Group', 'gc:pty_1:consumer'), {
    'impersonate-user': 'gc:pty_1:ci',
    groups: ['gc:pty_1:consumer'],
  })
  for (const raw of [
    ['Impersonate-User', 'system:admin'],
    ['Impersonate-User', 'GC:x'],
    ['Impersonate-User', ' gc:x'],
    ['Impersonate-User', 'gc:a,system:masters'],
    ['Impersonate-User', 'gc:a', 'IMPERSONATE-GROUP', 'system:masters'],
    ['Impersonate-User', 'gc:a', 'Impersonate-Group', 'gc:b', 'impersonate-group', 'system:masters'],
    ['Impersonate-User', 'gc:a', 'Impersonate-Uid', 'gc:b'],
    ['Impersonate-User', 'gc:a', 'Impersonate-Extra-scopes', 'gc:b'],
    ['Impersonate-Group', 'gc:b'],
    ['X-Remote-User', 'gc:a'],
    ['X-Remote-Group', 'system:masters'],
  ])
    t.equal(headersOf(...raw), 403, raw.join(' '))
})

t.test('nothing is said twice, and a connection hides nothing', async (t) => {
  for (const raw of [
    ['Impersonate-User', 'gc:a', 'impersonate-user', 'gc:b'],
    ['Content-Length', '1', 'content-length', '2'],
    ['Accept', 'a', 'Accept', 'b'],
    ['Connection', 'impersonate-user', 'Impersonate-User', 'gc:a'],
    ['Connection', 'close, authorization'],
    ['Accept', 'a\r\nImpersonate-User: system:admin'],
    ['Connection', 'Upgrade', 'Upgrade', 'h2c'],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
  ])
    t.equal(headersOf(...raw), 400, raw.join(' '))
})
