/** A kubeconfig is reduced to server, CA and credential; all that could run, read, redirect or pretend is refused by name. */
import { createPrivateKey } from 'node:crypto'
import t from 'tap'
import { stringify } from 'yaml'
import { sanitizeKubeconfig } from '../../../../services/shared/kubernetes/index.ts'
import { createAuthority } from './authority.ts'

const authority = createAuthority()
const identity = authority.issue('robot')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const caData = base64(authority.ca)
const certData = base64(identity.cert)
const keyData = base64(identity.key)

type Fields = Record<string, unknown>
const config = (cluster: Fields = {}, user: Fields = { token: 'abc.DEF-123' }, root: Fields = {}) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'c', cluster: { server: 'https://k8s.example.nl:6443', 'certificate-authority-data': caData, ...cluster } },
  ],
  users: [{ name: 'u', user }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
  'current-context': 'x',
  preferences: {},
  ...root,
})
const sanitize = (document: unknown, allowedAddresses: string[] = []) =>
  sanitizeKubeconfig(typeof document === 'string' ? document : stringify(document), { allowedAddresses })
const errorsOf = (document: unknown, allowed?: string[]) => {
  const result = sanitize(document, allowed)
  return result.ok ? [] : result.errors
}

t.test('what is accepted', async (t) => {
  t.same(sanitize(config()), {
    ok: true,
    connection: { server: 'https://k8s.example.nl:6443', caData, token: 'abc.DEF-123' },
  })
  t.same(sanitize(config({}, { 'client-certificate-data': certData, 'client-key-data': keyData })), {
    ok: true,
    connection: { server: 'https://k8s.example.nl:6443', caData, certData, keyData },
  })
  t.ok(sanitize(JSON.stringify(config())).ok, 'JSON is YAML')
  const { preferences: _, ...without } = config()
  t.ok(sanitize(without).ok, 'without preferences')
  t.match(sanitize(config({ server: 'https://10.1.2.3/k8s/clusters/c-1/' })), {
    connection: { server: 'https://10.1.2.3/k8s/clusters/c-1' },
  })
  const chain = base64(authority.ca + createAuthority().ca)
  t.ok(sanitize(config({ 'certificate-authority-data': chain })).ok, 'several authorities')
})

t.test('of several contexts the current one counts, and all are checked', async (t) => {
  const two = config()
  two.users.push({ name: 'v', user: { token: 'second' } })
  two.contexts.push({ name: 'y', context: { cluster: 'c', user: 'v', namespace: 'default' } })
  t.match(sanitize({ ...two, 'current-context': 'y' }), { connection: { token: 'second' } })
  two.users.push({ name: 'w', user: { exec: { command: 'sh' } } })
  t.match(errorsOf(two), [{ pointer: '/users/2/user/exec' }])
})

t.test('fields that are refused by name', async (t) => {
  const cluster: Fields = {
    'certificate-authority': '/etc/ca.crt',
    'insecure-skip-tls-verify': true,
    'proxy-url': 'http://proxy:3128',
    'tls-server-name': 'other',
  }
  const user: Fields = {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', 'id'] },
    'auth-provider': { name: 'gcp' },
    'client-certificate': '/etc/client.crt',
    'client-key': '/etc/client.key',
    tokenFile: '/var/run/secrets/token',
    as: 'system:admin',
    'as-uid': '0',
    'as-groups': ['system:masters'],
    'as-user-extra': { scopes: ['all'] },
    username: 'admin',
    password: 'hunter2',
  }
  for (const [field, value] of Object.entries(cluster)) {
    t.match(errorsOf(config({ [field]: value })), [{ pointer: `/clusters/0/cluster/${field}`, message: `${field}:` }])
  }
  for (const [field, value] of Object.entries(user)) {
    const expected = [{ pointer: `/users/0/user/${field}`, message: `${field}:` }]
    t.match(errorsOf(config({}, { token: 'abc', [field]: value })), expected, 'beside a token')
    t.match(errorsOf(config({}, { [field]: value })), expected, 'alone')
  }
  t.match(errorsOf(config({ 'insecure-skip-tls-verify': false })), [{ message: /verified/ }])
})

t.test('fields that nobody knows', async (t) => {
  t.match(errorsOf(config({ extensions: [] })), [{ pointer: '/clusters/0/cluster/extensions', message: /not a field/ }])
  t.match(errorsOf(config({}, { token: 'a', Token: 'b' })), [{ pointer: '/users/0/user/Token' }])
  t.match(errorsOf(config({}, { token: 'a' }, { extra: 1 })), [{ pointer: '/extra' }])
  t.match(errorsOf(`${stringify(config())}__proto__: {}\n`), [{ pointer: '/__proto__' }])
  t.match(errorsOf(`${stringify(config())}constructor: {prototype: {}}\n`), [{ pointer: '/constructor' }])
  t.match(errorsOf(`${stringify(config())}"a/b\\e[31m": 1\n`), [{ pointer: '/a~1b�[31m' }])
  t.match(errorsOf(config({}, { token: 'a' }, { preferences: { colors: true } })), [{ pointer: '/preferences' }])
})

t.test('the server', async (t) => {
  const refused: [string, RegExp][] = [
    ['http://k8s.example.nl', /https/],
    ['k8s.example.nl:6443', /https|URL/],
    ['not a url', /not a URL/],
    ['unix:///var/run/docker.sock', /https/],
    ['https://admin:secret@k8s.example.nl', /password/],
    ['https://k8s.example.nl/?x=1', /query/],
    ['https://k8s.example.nl/#x', /fragment/],
    ['https://k8s.example.nl?', /query/],
    ['https://k8s.example.nl/a/../b', /canonical/],
    ['https://k8s.example.nl/%2e%2e/b', /canonical/],
    ['https://k8s.example.nl//b', /canonical/],
    ['https://k8s.example.nl\\@127.0.0.1', /canonical/],
    ['https://127.0.0.1:6443', /loopback/],
    ['https://127.1', /loopback/],
    ['https://0x7f000001', /loopback/],
    ['https://2130706433', /loopback/],
    ['https://localhost:6443', /loopback/],
    ['https://api.localhost', /loopback/],
    ['https://LOCALHOST.', /loopback/],
    ['https://[::1]:6443', /loopback/],
    ['https://0.0.0.0', /unspecified/],
    ['https://[::]', /unspecified/],
    ['https://169.254.169.254', /metadata/],
    ['https://[fd00:ec2::254]', /metadata/],
    ['https://169.254.1.1', /link-local/],
    ['https://[fe80::1]', /link-local/],
    ['https://224.0.0.1', /multicast/],
    ['https://[ff02::1]', /multicast/],
    ['https://255.255.255.255', /reserved/],
    ['https://[::ffff:10.0.0.1]', /IPv4 address in an IPv6 form/],
    ['https://[64:ff9b::7f00:1]', /IPv4 address in an IPv6 form/],
  ]
  for (const [server, message] of refused) {
    t.match(errorsOf(config({ server })), [{ pointer: '/clusters/0/cluster/server', message }], server)
  }
  t.ok(sanitize(config({ server: 'https://127.0.0.1:6443' }), ['127.0.0.0/8']).ok, 'the allow-list opens loopback')
  t.ok(sanitize(config({ server: 'https://localhost' }), ['127.0.0.0/8', '::1/128']).ok)
  t.notOk(sanitize(config({ server: 'https://169.254.169.254' }), ['127.0.0.0/8']).ok, 'and nothing else')
  t.throws(() => sanitize(config({ server: 'https://a' }), ['127.0.0.1']), RangeError)
})

t.test('authority and credential', async (t) => {
  const ca = (data: unknown) => errorsOf(config({ 'certificate-authority-data': data }))
  const pointer = '/clusters/0/cluster/certificate-authority-data'
  t.match(ca(undefined), [{ pointer, message: /needed/ }])
  t.match(ca('%%%'), [{ pointer, message: /base64/ }])
  t.match(ca(base64('hello')), [{ pointer, message: /PEM/ }])
  t.match(ca(base64(authority.ca + identity.key)), [{ pointer, message: /nothing else/ }])
  t.match(ca(base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')), [{ pointer, message: /read/ }])

  const user = (fields: Fields) => errorsOf(config({}, fields))
  t.match(user({}), [{ pointer: '/users/0/user', message: /needs a token/ }])
  t.match(user({ 'client-certificate-data': certData }), [{ pointer: '/users/0/user', message: /needs/ }])
  t.match(user({ token: '' }), [{ pointer: '/users/0/user/token' }])
  t.match(user({ token: 12345 }), [{ pointer: '/users/0/user/token', message: /text/ }])
  t.match(user({ token: 'a\r\nImpersonate-User: root' }), [{ pointer: '/users/0/user/token', message: /ASCII/ }])
  t.match(user({ token: 'a', 'client-certificate-data': certData, 'client-key-data': keyData }), [
    { message: /give one/ },
  ])
  const other = base64(authority.issue('other').key)
  const pair = (key: string) => user({ 'client-certificate-data': certData, 'client-key-data': key })
  t.match(pair(other), [{ pointer: '/users/0/user/client-key-data', message: /not the key/ }])
  t.match(pair('???'), [{ pointer: '/users/0/user/client-key-data' }])
  t.match(pair(certData), [{ pointer: '/users/0/user/client-key-data' }])
})

t.test('which context', async (t) => {
  t.match(errorsOf(config({}, undefined, { 'current-context': 'other' })), [{ pointer: '/current-context' }])
  t.match(errorsOf(config({}, undefined, { 'current-context': '' })), [{ pointer: '/current-context' }])
  const context = (cluster: unknown, user: unknown) => [{ name: 'x', context: { cluster, user } }]
  t.match(errorsOf(config({}, undefined, { contexts: context('?', 'u') })), [
    { pointer: '/contexts/0/context/cluster' },
  ])
  t.match(errorsOf(config({}, undefined, { contexts: context('c', '?') })), [{ pointer: '/contexts/0/context/user' }])
  t.match(errorsOf({ ...config(), clusters: [...config().clusters, ...config().clusters] }), [
    { pointer: '/clusters/1/name', message: /another/ },
  ])
})

t.test('documents that are no kubeconfig', async (t) => {
  t.match(errorsOf(''), [{ pointer: '', message: 'must be a map' }])
  t.match(errorsOf('[]'), [{ message: 'must be a map' }])
  t.match(errorsOf({ ...config(), kind: 'Secret' }), [{ pointer: '/kind' }])
  t.match(errorsOf({ ...config(), apiVersion: 'v2' }), [{ pointer: '/apiVersion' }])
  t.match(errorsOf({ ...config(), clusters: { c: 1 } }), [{ pointer: '/clusters', message: 'must be a list' }])
  t.match(errorsOf(`${stringify(config())}#${'x'.repeat(65_536)}`), [{ message: 'larger than 64 KiB' }])
  t.match(errorsOf('{'), [{ pointer: '', message: /not the YAML/ }])
  t.match(errorsOf(`${stringify(config())}---\n${stringify(config())}`), [{ message: /not the YAML/ }])
})

t.test('YAML tricks', async (t) => {
  const plain = stringify(config())
  t.match(errorsOf(plain.replace('token: abc', 'token: first\n      token: abc')), [
    { pointer: '/users/0/user/token', message: 'given twice' },
  ])
  t.match(errorsOf(plain.replace('kind: Config', 'kind: &a Config')), [{ pointer: '/kind', message: /anchors/ }])
  t.match(errorsOf(plain.replace('kind: Config', 'kind: *a')), [{ message: /./ }])
  t.match(errorsOf(plain.replace('kind: Config', 'kind: !!binary Q29uZmln')), [{ message: /./ }])
  t.match(errorsOf(plain.replace('kind: Config', 'kind: !<tag:example,2000:x> Config')), [{ message: /./ }])
  t.match(errorsOf(`${plain}<<: {}\n`), [{ pointer: '/<<' }])
  t.match(errorsOf(`${plain}1: 2\n`), [{ message: 'a key is not text' }])
  t.match(errorsOf(`${plain}? [a]\n: 2\n`), [{ message: 'a key is not text' }])
  const bomb = [
    'a: &a [x,x]',
    ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [*${'abcdefgh'[i]},*${'abcdefgh'[i]}]`),
  ]
  t.match(errorsOf(bomb.join('\n')), [{ message: /anchors/ }])
  const nested = (open: string, close: string, times: number) => `${open.repeat(times)}${close.repeat(times)}`
  const began = performance.now()
  t.match(errorsOf(`${plain}x: ${nested('[', ']', 100)}\n`), [{ message: /nested more than 64/ }])
  for (const text of [
    nested('[', ']', 30_000),
    nested('{a: ', '}', 12_000),
    '- '.repeat(32_000),
    '? '.repeat(32_000),
  ]) {
    t.not(errorsOf(text).length, 0)
  }
  t.ok(performance.now() - began < 10_000, 'no input of 64 KiB keeps us busy')
})

t.test('documents that are small and laborious are refused before they are parsed', async (t) => {
  const fill = (text: string) => text.repeat(65_536 / text.length)
  for (const text of [
    fill('['),
    fill('}'),
    fill('"'),
    fill('a: 1\n'),
    fill(': '),
    fill('&a '),
    `{${fill('a,').slice(1)}`,
  ])
    t.match(errorsOf(text), [{ pointer: '', message: /^more than 4000 words and signs/ }], text.slice(0, 6))
  t.match(errorsOf(`"${fill('\\x').slice(1)}`), [{ pointer: '', message: /, or 2000 escapes$/ }])
})

t.test('as many clusters as 64 KiB hold are read, however they are written', async (t) => {
  // As large as those of an RSA authority and a service account.
  const chain = base64(authority.ca + authority.ca)
  const many = config({ 'certificate-authority-data': chain }, { token: 'abc.DEF-123'.repeat(80) })
  const more = (list: { name: string }[]) =>
    list.push({ ...(list[0] as { name: string }), name: `${list[0]?.name}${list.length}` })
  const size = () => Buffer.byteLength(JSON.stringify(many, null, 2).replaceAll('/', '\\/'))
  while (size() < 60_000) for (const list of [many.clusters, many.users, many.contexts]) more(list)
  t.ok(many.clusters.length > 20)
  t.same(errorsOf(stringify(JSON.parse(JSON.stringify(many)))), [])
  t.ok(sanitize(JSON.stringify(many)).ok)
  t.ok(sanitize(JSON.stringify(many, null, 2).replaceAll('/', '\\/')).ok, 'indented, every / escaped')
})

t.test('errors repeat no secret and are bounded', async (t) => {
  const all = errorsOf(
    config({ server: 'http://canary1' }, { token: 'canary2\n', password: 'canary3', exec: 'canary4' }),
  )
  t.ok(all.length >= 3)
  t.notMatch(JSON.stringify(all), /canary/)
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]))
  t.equal(errorsOf(config(many)).length, 20)
})

t.test('a key with a passphrase is of no use to us', async (t) => {
  const locked = createPrivateKey(identity.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  })
  const user = { 'client-certificate-data': certData, 'client-key-data': base64(String(locked)) }
  t.match(errorsOf(config({}, user)), [{ pointer: '/users/0/user/client-key-data', message: /passphrase/ }])
})
