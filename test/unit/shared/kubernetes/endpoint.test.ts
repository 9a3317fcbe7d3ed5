/** No name and no address leads a connection to ourselves, to the machine's services, or to a network of our own. */
import type { LookupAddress } from 'node:dns'
import t from 'tap'
import { guardedLookup } from '../../../../services/shared/kubernetes/endpoint.ts'
import {
  createAddressGuard,
  endpointRefusal,
  parseCidr,
  type Resolve,
} from '../../../../services/shared/kubernetes/index.ts'

const strict = createAddressGuard({ allowedAddresses: [] })

t.test('addresses', async (t) => {
  const refused: Record<string, RegExp> = {
    '0.0.0.0': /unspecified/,
    '0.1.2.3': /unspecified/,
    '::': /unspecified/,
    '127.0.0.1': /loopback/,
    '127.255.255.254': /loopback/,
    '::1': /loopback/,
    '169.254.169.254': /metadata/,
    '169.254.170.2': /metadata/,
    '100.100.100.200': /metadata/,
    '168.63.129.16': /metadata/,
    '192.0.0.192': /metadata/,
    'fd00:ec2::254': /metadata/,
    'fd20:ce::254': /metadata/,
    '169.254.0.1': /link-local/,
    'fe80::1': /link-local/,
    'fe80::1%eth0': /link-local/,
    'fec0::1': /link-local/,
    '224.0.0.1': /multicast/,
    '239.255.255.250': /multicast/,
    'ff02::1': /multicast/,
    '240.0.0.1': /reserved/,
    '255.255.255.255': /reserved/,
    '::ffff:127.0.0.1': /IPv4 address in an IPv6 form/,
    '::ffff:7f00:1': /IPv4 address in an IPv6 form/,
    '::ffff:8.8.8.8': /IPv4 address in an IPv6 form/,
    '::127.0.0.1': /IPv4 address in an IPv6 form/,
    '64:ff9b::169.254.169.254': /IPv4 address in an IPv6 form/,
    '2002:7f00:1::': /IPv4 address in an IPv6 form/,
    '2001:0:1::': /IPv4 address in an IPv6 form/,
    'k8s.example.nl': /not an IP address/,
    '': /not an IP address/,
  }
  for (const [address, reason] of Object.entries(refused)) t.match(strict.refusal(address), reason, address)
  for (const address of [
    '8.8.8.8',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '2a02:10::1',
    'fd12:3456::1',
    '126.255.255.255',
    '128.0.0.1',
  ]) {
    t.equal(strict.refusal(address), undefined, address)
  }
})

t.test('an allow-list opens what it names and nothing else', async (t) => {
  const site = createAddressGuard({ allowedAddresses: ['127.0.0.0/8', 'fe80::/10', '::ffff:10.0.0.0/104'] })
  t.equal(site.refusal('127.0.0.1'), undefined)
  t.equal(site.refusal('fe80::1'), undefined)
  t.equal(site.refusal('::ffff:10.1.2.3'), undefined)
  t.match(site.refusal('::1'), /loopback/)
  t.match(site.refusal('::ffff:127.0.0.1'), /IPv6 form/, 'a rule for IPv4 does not open the IPv6 form')
  t.match(site.refusal('169.254.169.254'), /metadata/)
})

t.test('networks of our own', async (t) => {
  const guard = createAddressGuard({
    allowedAddresses: ['10.96.1.0/24'],
    refusedAddresses: ['10.96.0.0/12', 'fd99::/16'],
  })
  t.match(guard.refusal('10.97.0.1'), /own network/)
  t.match(guard.refusal('fd99::1'), /own network/)
  t.equal(guard.refusal('10.96.1.9'), undefined, 'the allow-list is the last word')
  t.equal(guard.refusal('10.112.0.1'), undefined)
})

t.test('CIDRs', async (t) => {
  t.same(parseCidr('10.0.0.0/8'), { address: '10.0.0.0', prefix: 8, family: 4 })
  t.same(parseCidr('::/0'), { address: '::', prefix: 0, family: 6 })
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'x/8',
    '10.0.0.0/8 ',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
  ]) {
    t.throws(() => parseCidr(text), RangeError, text)
  }
})

const resolving =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

t.test('a server is checked with its name resolved', async (t) => {
  const refusal = (server: string, ...addresses: string[]) => endpointRefusal(server, strict, resolving(...addresses))
  t.equal(await refusal('https://k8s.example.nl:6443', '203.0.113.5', '2a02:10::1'), undefined)
  t.match(await refusal('https://k8s.example.nl', '127.0.0.1'), /resolves to 127.0.0.1, a loopback address/)
  t.match(await refusal('https://k8s.example.nl', '203.0.113.5', '169.254.169.254'), /metadata/, 'one is enough')
  t.match(await refusal('https://k8s.example.nl', '::ffff:10.0.0.1'), /IPv6 form/)
  t.match(await refusal('https://localhost', '203.0.113.5'), /loopback/, 'whatever it resolves to')
  t.match(await refusal('https://[::1]:1'), /loopback/)
  t.equal(await refusal('https://10.0.0.1', '127.0.0.1'), undefined, 'an address is not resolved')
  const silent: Resolve = () => Promise.reject(new Error('no such name'))
  t.equal(await endpointRefusal('https://k8s.example.nl', strict, silent), undefined)
})

const lookUp = (resolve: Resolve, options: { all?: boolean; family?: number | 'IPv4' | 'IPv6' } = {}) =>
  new Promise<string | LookupAddress[]>((done, fail) => {
    guardedLookup(strict, resolve)('k8s.example.nl', options, (error, address) => (error ? fail(error) : done(address)))
  })

t.test('the lookup of a connection checks what it gives', async (t) => {
  t.equal(await lookUp(resolving('203.0.113.5', '203.0.113.6')), '203.0.113.5')
  t.same(await lookUp(resolving('203.0.113.5', '2a02:10::1'), { all: true }), [
    { address: '203.0.113.5', family: 4 },
    { address: '2a02:10::1', family: 6 },
  ])
  t.equal(await lookUp(resolving('203.0.113.5', '2a02:10::1'), { family: 6 }), '2a02:10::1')
  t.equal(await lookUp(resolving('2a02:10::1', '203.0.113.5'), { family: 'IPv4' }), '203.0.113.5')
  await t.rejects(lookUp(resolving('127.0.0.1')), { code: 'ENDPOINT_REFUSED' })
  await t.rejects(lookUp(resolving('203.0.113.5', '::1'), { all: true }), { code: 'ENDPOINT_REFUSED' })
  await t.rejects(lookUp(resolving()), { message: /no address/ })
  await t.rejects(lookUp(resolving('203.0.113.5'), { family: 6 }), { message: /no address/ })
})

t.test('a name that turns round after it was checked', async (t) => {
  const answers = ['203.0.113.5', '127.0.0.1']
  const rebinding: Resolve = () => resolving(answers.shift() ?? '')('')
  t.equal(await endpointRefusal('https://k8s.example.nl', strict, rebinding), undefined)
  await t.rejects(lookUp(rebinding), { code: 'ENDPOINT_REFUSED' })
})
