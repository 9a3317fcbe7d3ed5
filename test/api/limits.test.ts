/** What no schema can say: values of the right shape that cannot be, and answers that would be stale. */
import t from 'tap'
import { testApi } from '../support/api.ts'
import { callOperation, makeWorld, operations } from '../support/operations.ts'
import { storeDigest } from '../support/store-digest.ts'

const named = (name: string) => {
  const operation = operations[name]
  if (!operation) throw new Error(`no operation ${name}`)
  return operation
}

t.test('values that fit their schema and no store', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  const before = await storeDigest(api.kit.database)
  const { components = [] } = (named('quoteHosting').body?.(world) ?? {}) as { components?: object[] }
  const [component] = components
  const requests = (more: object) => ({
    components: [{ ...component, requests: { cpu: '1', memory: '1Gi', ...more } }],
  })
  const many = (memory: string, replicas: number) => ({ name: 'many', replicas, requests: { cpu: '1', memory } })
  const volume = (size: string) => ({ name: 'v', storageClass: 'gedeeld', size, accessMode: 'ReadWriteOnce' })
  const period = (start: string, end: string | null = null) => ({ period: { start, end } })
  const cases: [string, string, object, string][] = [
    ['cores beyond counting', 'openOffer', { amounts: { cpu: '9007199254740991' } }, '/amounts/cpu'],
    ['bytes beyond counting', 'openOffer', { amounts: { 'storage/x': '9E' } }, '/amounts/storage~1x'],
    ['a day that is not', 'openOffer', period('2026-02-30T00:00:00Z'), '/period/start'],
    ['a year before years', 'openOffer', period('0000-01-01T00:00:00Z'), '/period/start'],
    ['hour 24', 'openOffer', period('2026-01-01T24:00:00Z'), '/period/start'],
    ['a leap second', 'openOffer', period('2026-06-30T23:59:60Z'), '/period/start'],
    ['another zone', 'openOffer', period('2026-01-01T00:00:00+01:00'), '/period/start'],
    ['an empty period', 'openOffer', period('2030-01-01T00:00:00Z', '2030-01-01T00:00:00Z'), '/period/end'],
    [
      'less than a millisecond',
      'openOffer',
      period('2030-01-01T00:00:00Z', '2030-01-01T00:00:00.0005Z'),
      '/period/end',
    ],
    ['cores beyond counting', 'quoteHosting', requests({ cpu: '9007199254740991' }), '/components/0/requests/cpu'],
    ['pods of a component', 'quoteHosting', requests({ pods: '1' }), '/components/0/requests/pods'],
    ['a sum beyond counting', 'quoteHosting', { components: [many('7Pi', 2)] }, '/components'],
    ['a sum of volumes beyond counting', 'quoteHosting', { volumes: [volume('7Pi'), volume('7Pi')] }, '/volumes'],
    ['a name twice', 'quoteHosting', { components: [component, component] }, '/components/1/name'],
    ['a past period', 'requestHosting', period('2020-01-01T00:00:00Z', '2020-02-01T00:00:00Z'), '/period/end'],
    [
      'a standby to keep apart, and none',
      'requestHosting',
      { fallback: { mode: 'none', differ: ['grid'] } },
      '/fallback/mode',
    ],
    ['a reserved name', 'requestHosting', { name: 'kube-public' }, '/name'],
    ['a reserved name', 'requestHosting', { name: 'default' }, '/name'],
    ['a day that is not', 'grantToken', { expiresAt: '2027-02-29T00:00:00Z' }, '/expiresAt'],
    [
      'a day that is not',
      'registerDatacenter',
      {
        security: {
          classes: { availability: 1, integrity: 1, confidentiality: 1 },
          evidence: [{ kind: 'iso27001', validUntil: '2027-04-31T00:00:00Z' }],
        },
      },
      '/security/evidence/0/validUntil',
    ],
  ]
  for (const [what, name, change, pointer] of cases) {
    const operation = named(name)
    const { status, body } = await callOperation(api, operation, world, {
      body: { ...operation.body?.(world), ...change },
    })
    t.equal(status, 400, `${name}, ${what}: ${JSON.stringify(body)}`)
    t.match(body.errors, [{ pointer }], `${name}, ${what}`)
  }
  t.same(await storeDigest(api.kit.database), before)
})

t.test('more than there is anywhere is a refusal with a reason, not a mistake of ours', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  const components = Array.from({ length: 200 }, (_, i) => ({
    name: `c${i}`,
    replicas: 1000,
    requests: { cpu: '1000000', memory: '16Gi' },
  }))
  const volumes = [{ name: 'v', storageClass: 'gedeeld', size: '7Ti', accessMode: 'ReadWriteMany', count: 1000 }]
  const body = { systemId: world.systemId, components, volumes, fallback: { mode: 'none' } }
  const quote = await api.call('consumer', 'POST', 'quotes', { body })
  t.equal(quote.status, 201, JSON.stringify(quote.body).slice(0, 300))
  t.equal(quote.body.decision.outcome, 'unschedulable')
  const all = (await api.call('loket', 'GET', 'datacenters')).body.items
  t.equal(new Set(quote.body.decision.refusals.map((r: { datacenter: string }) => r.datacenter)).size, all.length)
})

t.test('a place in the log that is none is refused, as a page and as a stream', async (t) => {
  const api = await testApi(t)
  const stream = { accept: 'text/event-stream' }
  for (const place of ['nonsense', '1', '1-', '-1', '99999999999999999999-1', '1-9999999999999999', '1-1-1', '0x1-1']) {
    const page = await api.call('consumer', 'GET', `events?cursor=${place}`)
    t.match(page, { status: 400, body: { errors: [{ pointer: '/query/cursor' }] } }, place)
    const resumed = await api.call('consumer', 'GET', 'events', { headers: { ...stream, 'last-event-id': place } })
    t.match(resumed, { status: 400, body: { errors: [{ pointer: '/headers/last-event-id' }] } }, place)
  }
  t.same(
    (await api.call('consumer', 'GET', 'events?cursor=9000000000000000000-1')).body,
    { items: [] },
    'far away is empty',
  )
})

t.test('what is seen of the world is never answered with 304', async (t) => {
  const api = await testApi(t)
  const world = await makeWorld(api)
  for (const [path, live] of [
    [`datacenters/${world.datacenterId}`, true],
    [`hostings/${world.hostingId}`, true],
    [`systems/${world.systemId}`, false],
    [`parties/${world.partyId}`, false],
  ] as const) {
    const { headers } = await api.call('loket', 'GET', path)
    const again = await api.call('loket', 'GET', path, { headers: { 'if-none-match': String(headers.etag) } })
    t.equal(again.status, live ? 200 : 304, path)
  }
})

t.test('If-Match: the version, any version, and nothing else', async (t) => {
  const api = await testApi(t)
  const { hostingId } = await makeWorld(api)
  const end = (ifMatch: string) =>
    api.call('consumer', 'DELETE', `hostings/${hostingId}`, { headers: { 'if-match': ifMatch } })
  const { headers } = await api.call('consumer', 'GET', `hostings/${hostingId}`)
  for (const stale of ['"0"', '"2"', 'W/"1"', '1', '""', '"1", "2"']) t.equal((await end(stale)).status, 412, stale)
  t.equal((await api.call('consumer', 'GET', `hostings/${hostingId}`)).body.state, 'pending')
  const ended = await end(String(headers.etag))
  t.equal(ended.status, 202)
  t.not(ended.headers.etag, headers.etag, 'a new version')
  t.equal((await end('*')).status, 202, 'any version will do')
})
