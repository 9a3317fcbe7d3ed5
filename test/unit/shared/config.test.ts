/** Configuration: all that is wrong at once, nothing guessed, and nothing of it repeated that could be a secret. */
import t from 'tap'
import { readConfig } from '../../../services/shared/config.ts'

const errorsOf = (environment: Record<string, string>) => {
  const result = readConfig(environment)
  return result.ok ? [] : result.errors
}
const key = Buffer.alloc(32, 7).toString('base64')

t.test('without anything: on this machine alone, on the usual ports', async (t) => {
  t.same(readConfig({ PATH: '/bin', HOME: '/root' }), {
    ok: true,
    config: {
      host: '127.0.0.1',
      port: 8080,
      managementPort: 8081,
      tunnel: { host: '127.0.0.1', port: 8082, address: undefined },
      gateway: { host: '127.0.0.1', port: 8443, files: undefined },
      databaseUrl: undefined,
      dataDirectory: 'data',
      logLevel: 'info',
      encryptionKey: undefined,
      bootstrapToken: undefined,
      desk: { name: 'Landelijk loket', oin: '00000099000000009000' },
      allowedAddresses: [],
      refusedAddresses: [],
      fallbackProfile: 'standard',
      ceilings: {
        hostings: 10_000,
        unplacedHostings: 5_000,
        datacenters: 100,
        offers: 100,
        holds: 20,
        holdMinutes: 60,
      },
      limits: { listObjects: 500_000, listBytes: 4 * 2 ** 30, listMs: 600_000 },
    },
  })
})

t.test('everything set', async (t) => {
  const result = readConfig({
    PORT: '0',
    MANAGEMENT_PORT: '0',
    TUNNEL_PORT: '0',
    TUNNEL_ADDRESS: 'desk.example:443',
    GATEWAY_PORT: '0',
    GATEWAY_CERTIFICATE_FILE: '/tls/tls.crt',
    GATEWAY_KEY_FILE: '/tls/tls.key',
    GATEWAY_CA_FILE: '/tls/ca.crt',
    HOST: '::',
    DATABASE_URL: 'postgresql://u:p@db/gemeentecloud',
    GEMEENTECLOUD_DATA: '/var/lib/x',
    LOG_LEVEL: 'debug',
    ENCRYPTION_KEY: key,
    BOOTSTRAP_TOKEN: 't'.repeat(32),
    LOKET_NAME: 'Loket',
    LOKET_OIN: '00000099000000000001',
    ALLOWED_CLUSTER_ADDRESSES: '127.0.0.0/8,::1/128',
    REFUSED_CLUSTER_ADDRESSES: '10.96.0.0/12',
    FALLBACK_PROFILE: 'fast',
    MAX_HOSTINGS: '40',
    MAX_UNPLACED_HOSTINGS: '30',
    MAX_DATACENTERS: '20',
    MAX_OFFERS: '10',
    MAX_HOLDS: '6',
    MAX_HOLD_MINUTES: '5',
    MAX_CLUSTER_OBJECTS: '9',
    MAX_CLUSTER_LIST_MIB: '8',
    MAX_CLUSTER_LIST_SECONDS: '7',
    GEMEENTECLOUD_URL: 'for the command line',
    GEMEENTECLOUD_TOKEN: 'too',
  })
  t.match(result, { ok: true, config: { port: 0, managementPort: 0, host: '::', logLevel: 'debug' } })
  if (!result.ok) return
  t.same(Buffer.from(result.config.encryptionKey ?? []), Buffer.alloc(32, 7))
  t.same(result.config.tunnel, { host: '::', port: 0, address: 'desk.example:443' })
  const files = { cert: '/tls/tls.crt', key: '/tls/tls.key', ca: '/tls/ca.crt' }
  t.same(result.config.gateway, { host: '::', port: 0, files })
  t.same(result.config.allowedAddresses, ['127.0.0.0/8', '::1/128'])
  t.same(result.config.refusedAddresses, ['10.96.0.0/12'])
  t.equal(result.config.fallbackProfile, 'fast')
  t.same(result.config.ceilings, {
    hostings: 40,
    unplacedHostings: 30,
    datacenters: 20,
    offers: 10,
    holds: 6,
    holdMinutes: 5,
  })
  t.same(result.config.limits, { listObjects: 9, listBytes: 8 * 2 ** 20, listMs: 7_000 })
  t.same(result.config.desk, { name: 'Loket', oin: '00000099000000000001' })
})

t.test('all that is wrong, at once', async (t) => {
  const errors = errorsOf({
    PORT: '8080x',
    MANAGEMENT_PORT: '70000',
    TUNNEL_ADDRESS: 'desk.example',
    DATABASE_URL: 'mysql://secret@x',
    LOG_LEVEL: 'loud',
    ENCRYPTION_KEY: 'c2hvcnQ=',
    BOOTSTRAP_TOKEN: 'short-secret',
    LOKET_OIN: '123',
    ALLOWED_CLUSTER_ADDRESSES: '10.0.0.0',
    REFUSED_CLUSTER_ADDRESSES: '10.0.0.0/8,10.0.0.256/32',
    MAX_OFFERS: '0',
    MAX_HOSTINGS: '1e9',
    GEMEENTECLOUD_DAAT: '/x',
  })
  const named = errors.map((error) => error.split(' ')[0])
  t.same(named.sort(), [
    'ALLOWED_CLUSTER_ADDRESSES',
    'BOOTSTRAP_TOKEN',
    'DATABASE_URL',
    'ENCRYPTION_KEY',
    'GEMEENTECLOUD_DAAT',
    'LOG_LEVEL',
    'LOKET_OIN',
    'MANAGEMENT_PORT',
    'MAX_HOSTINGS',
    'MAX_OFFERS',
    'PORT',
    'REFUSED_CLUSTER_ADDRESSES',
    'TUNNEL_ADDRESS',
  ])
  for (const error of errors)
    t.match(error, /^\S+ (must be (?!.* must )[^^]+|is (above 65535|not a setting we know))$/, 'in words, once')
  t.notMatch(errors.join('\n'), /secret|c2hvcnQ/, 'a value is not repeated')
})

t.test('one thing at a time', async (t) => {
  t.same(errorsOf({ PORT: '9000', MANAGEMENT_PORT: '9000' }), ['PORT and MANAGEMENT_PORT are the same'])
  t.same(errorsOf({ PORT: '8081' }), ['PORT and MANAGEMENT_PORT are the same'], 'also with one by default')
  t.same(errorsOf({ TUNNEL_PORT: '8080' }), ['PORT and TUNNEL_PORT are the same'])
  t.same(errorsOf({ GATEWAY_PORT: '8082' }), ['TUNNEL_PORT and GATEWAY_PORT are the same'])
  t.match(errorsOf({ GATEWAY_KEY_FILE: '/tls/tls.key' }), [/are given together or not at all/])
  t.same(errorsOf({ PORT: '65536' }), ['PORT is above 65535'])
  for (const port of ['-1', '08', '1.5', ' 80', '0x50'])
    t.same(errorsOf({ PORT: port }), ['PORT must be the number of a port, or 0 for any that is free'], port)
  t.same(errorsOf({ PORT: '', LOG_LEVEL: '' }), [], 'set but empty is not set')
})
