/** What holds on every route: authentication, strict input, problems with pointers, idempotency, versions, paging. */
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import t from 'tap'
import { type TestApi, testApi } from '../support/api.ts'

const system = (slug: string) => ({
  slug,
  name: 'Open Zaak',
  classes: { availability: 2, integrity: 2, confidentiality: 2 },
})
/** Sends bytes as they are and returns the whole answer. */
function rawExchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.setEncoding('utf8').on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer)).on('error', reject)
  })
}

const count = async (api: TestApi, table: string) =>
  (await api.kit.database.query<{ n: number }>(`select count(*) as n from ${table}`))[0]?.n

/** What an auditor may do beside reading: take a token with no more rights, and sign for evidence. */
const forAuditors: ReadonlySet<string> = new Set(['/short-lived-tokens', '/drills/{id}/signatures'])

t.test(
  'deny by default: every operation of the document wants a credential, but two, and the role that the policy names',
  async (t) => {
    const api = await testApi(t)
    const { body: document } = await api.call('nobody', 'GET', 'openapi.json')
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => ({ path, method })),
    )
    t.ok(operations.length >= 18, `${operations.length} operations`)
    const open = ['/openapi.json', '/agents/certificates']
    for (const { path, method } of operations.filter((operation) => !open.includes(operation.path))) {
      const url = path.replace('{id}', 'x_1').slice(1)
      const none = await api.call('nobody', method.toUpperCase(), url)
      t.equal(none.status, 401, `${method} ${path} without token`)
      t.equal(none.headers['www-authenticate'], 'Bearer')
      const wrong = await api.call({ token: 'gc_this-token-was-never-issued' }, method.toUpperCase(), url)
      t.equal(wrong.status, 401, `${method} ${path} with a foreign token`)
      if (!forAuditors.has(path) && ['post', 'put', 'delete'].includes(method)) {
        const auditor = await api.call('auditor', method.toUpperCase(), url, { body: {} })
        t.equal(auditor.status, 403, `${method} ${path} as auditor`)
      }
    }
  },
)

t.test('bad input is a 4xx problem that names the field, and changes nothing', async (t) => {
  const api = await testApi(t)
  const post = (payload: string, headers = {}) => api.call('consumer', 'POST', 'systems', { payload, headers })
  const good = JSON.stringify(system('zaak'))
  const before = await count(api, 'events')
  const cases: [string, () => ReturnType<typeof post>, number, string, string?][] = [
    ['unknown field', () => post(JSON.stringify({ ...system('a'), colour: 'red' })), 400, 'invalid-fields', '/colour'],
    [
      'string for a number',
      () => post(JSON.stringify({ ...system('a'), classes: { availability: '2', integrity: 2, confidentiality: 2 } })),
      400,
      'invalid-fields',
      '/classes/availability',
    ],
    [
      'missing field',
      () => post(JSON.stringify({ slug: 'a', classes: system('a').classes })),
      400,
      'invalid-fields',
      '/name',
    ],
    [
      'control character',
      () => post(JSON.stringify({ ...system('a'), name: 'x\u001b[2J' })),
      400,
      'invalid-fields',
      '/name',
    ],
    [
      'duplicate key',
      () => post(good.replace('"slug":"zaak"', '"slug":"zaak","slug":"other"')),
      400,
      'malformed-request',
      '/slug',
    ],
    [
      'duplicate nested key',
      () => post(good.replace('"integrity":2', '"integrity":2 , "integrity" : 3')),
      400,
      'malformed-request',
      '/classes/integrity',
    ],
    [
      'escaped duplicate key',
      () => post(good.replace('"slug":"zaak"', '"slug":"zaak","\\u0073lug":"other"')),
      400,
      'malformed-request',
      '/slug',
    ],
    [
      'prototype key',
      () => post(good.replace('"slug"', '"__proto__":{"x":1},"slug"')),
      400,
      'malformed-request',
      '/__proto__',
    ],
    ['too deep', () => post(`${'['.repeat(40)}${']'.repeat(40)}`), 400, 'malformed-request'],
    ['not JSON', () => post('{"slug":'), 400, 'malformed-request'],
    ['empty body', () => post(''), 400, 'malformed-request'],
    ['wrong media type', () => post(good, { 'content-type': 'text/plain' }), 415, 'wrong-media-type'],
    [
      'media type with trailing garbage',
      () => post(good, { 'content-type': 'application/json; charset=utf-8; x' }),
      415,
      'wrong-media-type',
    ],
    ['too large', () => post(JSON.stringify({ ...system('a'), name: 'x'.repeat(1_100_000) })), 413, 'too-large'],
    [
      'unknown query',
      () => api.call('consumer', 'POST', 'systems?dryRun=1', { payload: good }),
      400,
      'invalid-fields',
      '/query/dryRun',
    ],
    [
      'no idempotency key',
      () => post(good, { 'idempotency-key': '' }),
      400,
      'invalid-fields',
      '/headers/idempotency-key',
    ],
    ['array at the top', () => post('[]'), 400, 'invalid-fields', ''],
  ]
  for (const [name, send, status, code, pointer] of cases) {
    const { status: got, body, headers } = await send()
    t.equal(got, status, name)
    t.match(body.type, new RegExp(`/problems/${code}$`), name)
    t.match(headers['content-type'], /^application\/problem\+json/, name)
    t.ok(headers['api-version'], `${name}: API-Version`)
    if (pointer !== undefined)
      t.ok(
        body.errors?.some((e: { pointer: string }) => e.pointer === pointer),
        `${name}: ${JSON.stringify(body.errors)}`,
      )
  }
  t.equal(await count(api, 'systems'), 0, 'no system came of it')
  t.equal(await count(api, 'events'), before, 'no event came of it')
})

t.test('paths have one reading', async (t) => {
  const api = await testApi(t)
  const base = new URL(await api.listen())
  const head = `host: ${base.host}\r\nauthorization: Bearer ${api.tokenOf('consumer')}\r\nconnection: close\r\n`
  const raw = (request: string) => rawExchange(Number(base.port), request)
  t.match(await raw(`GET /api/v1/systems HTTP/1.1\r\n${head}\r\n`), /^HTTP\/1.1 200/, 'the same request, canonical')
  for (const path of [
    'systems/',
    '/systems',
    '%73ystems',
    'x/../systems',
    './systems',
    'systems;a=b',
    '\\systems',
    'systems%2f',
    'systems%',
    'systems?a=1?b=2',
    'systems#x',
  ]) {
    const answer = await raw(`GET /api/v1/${path} HTTP/1.1\r\n${head}\r\n`)
    t.match(answer, /^HTTP\/1.1 400 /, path)
    t.match(answer, /path-not-canonical|malformed-request/, path)
  }
  for (const [name, extra] of [
    ['two Host headers', 'host: other.example\r\n'],
    ['two Authorization headers', 'authorization: Bearer x\r\n'],
    ['length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'],
    ['bare line feed', 'x: y\nz: 1\r\n'],
  ] as const) {
    t.match(await raw(`GET /api/v1/systems HTTP/1.1\r\n${head}${extra}\r\n`), /^HTTP\/1.1 400 /, name)
  }
  const large = await raw(`GET /api/v1/systems HTTP/1.1\r\n${head}x: ${'y'.repeat(20_000)}\r\n\r\n`)
  t.match(large, /^HTTP\/1.1 431 [\s\S]*headers-too-large/)
  t.equal((await api.call('consumer', 'GET', '/api/v1/nothing')).status, 404)
  const wrongMethod = await api.call('consumer', 'PUT', 'systems', { body: {} })
  t.equal(wrongMethod.status, 405)
  t.match(wrongMethod.headers.allow, /GET/)
})

t.test('an Idempotency-Key makes a repeat the same answer, and another body a conflict', async (t) => {
  const api = await testApi(t)
  const headers = { 'idempotency-key': randomUUID() }
  const first = await api.call('consumer', 'POST', 'systems', { body: system('zaak'), headers })
  t.equal(first.status, 201)
  t.equal(first.headers.location, `/api/v1/systems/${first.body.id}`)
  const again = await api.call('consumer', 'POST', 'systems', { body: system('zaak'), headers })
  t.equal(again.status, 201)
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.same(again.body, first.body)
  t.equal(again.headers.location, first.headers.location)
  const other = await api.call('consumer', 'POST', 'systems', { body: system('klant'), headers })
  t.equal(other.status, 409)
  t.match(other.body.type, /idempotency-conflict/)
  t.equal(await count(api, 'systems'), 1)

  const key = randomUUID()
  const race = await Promise.all(
    Array.from({ length: 8 }, () =>
      api.call('consumer', 'POST', 'systems', { body: system('formulieren'), headers: { 'idempotency-key': key } }),
    ),
  )
  t.same(new Set(race.map((r) => r.status)), new Set([201]))
  t.equal(new Set(race.map((r) => r.body.id)).size, 1, 'eight at once made one')

  const failed = await api.call('consumer', 'POST', 'systems', {
    body: system('zaak'),
    headers: { 'idempotency-key': 'retry-after-mending' },
  })
  t.equal(failed.status, 409, 'the slug is taken')
  const mended = await api.call('consumer', 'POST', 'systems', {
    body: system('zaak-2'),
    headers: { 'idempotency-key': 'retry-after-mending' },
  })
  t.equal(mended.status, 201, 'a refusal uses no key up')
})

t.test('a token is shown once and never stored', async (t) => {
  const api = await testApi(t)
  const headers = { 'idempotency-key': randomUUID() }
  const body = { subject: 'ci', role: 'consumer' }
  const first = await api.call('loket', 'POST', `parties/${api.parties.consumer}/tokens`, { body, headers })
  t.match(first.body.token, /^gc_[0-9a-z]{52}$/)
  const again = await api.call('loket', 'POST', `parties/${api.parties.consumer}/tokens`, { body, headers })
  t.not(again.body.token, first.body.token)
  const dump = JSON.stringify(
    await api.kit.database.query(
      'select row_to_json(t) from tokens t union all select row_to_json(i) from idempotency i',
    ),
  )
  t.notOk(dump.includes(first.body.token), 'not in the store')
  t.equal((await api.call({ token: first.body.token }, 'GET', 'systems')).status, 200)
  const foreign = await api.call('loket', 'POST', `parties/${api.parties.consumer}/tokens`, {
    body: { subject: 'ci', role: 'provider' },
  })
  t.equal(foreign.status, 409, 'no token for a role the party does not have')
})

t.test('lists are paged by cursor without gaps or doubles; ETags save and guard', async (t) => {
  const api = await testApi(t)
  for (let i = 0; i < 7; i++) await api.call('consumer', 'POST', 'systems', { body: system(`s${i}`) })
  const seen: string[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const { body }: { body: { items: { slug: string }[]; next?: string } } = await api.call(
      'consumer',
      'GET',
      `systems?limit=3${cursor && `&cursor=${cursor}`}`,
    )
    seen.push(...body.items.map((s) => s.slug))
    cursor = body.next
  }
  t.same(seen, ['s0', 's1', 's2', 's3', 's4', 's5', 's6'])
  for (const query of ['limit=0', 'limit=501', 'limit=ten', 'limit=1&limit=2', 'cursor=%00']) {
    t.equal((await api.call('consumer', 'GET', `systems?${query}`)).status, 400, query)
  }
  const { body } = await api.call('consumer', 'GET', 'systems?slug=s3')
  const one = await api.call('consumer', 'GET', `systems/${body.items[0].id}`)
  t.equal(one.headers.etag, '"1"')
  const unchanged = await api.call('consumer', 'GET', `systems/${body.items[0].id}`, {
    headers: { 'if-none-match': '"1"' },
  })
  t.equal(unchanged.status, 304)
})

t.test('what belongs to another party is not there', async (t) => {
  const api = await testApi(t)
  const mine = await api.call('consumer', 'POST', 'systems', { body: system('zaak') })
  const stranger = await api.newParty('consumer')
  const theirs = await api.call(stranger, 'GET', `systems/${mine.body.id}`)
  const never = await api.call(stranger, 'GET', `systems/sys_${'0'.repeat(26)}`)
  t.equal(theirs.status, 404)
  t.same(Object.keys(theirs.body), Object.keys(never.body))
  t.same((await api.call(stranger, 'GET', 'systems')).body.items, [])
  t.equal((await api.call('auditor', 'GET', `systems/${mine.body.id}`)).status, 200)
  t.equal((await api.eventsOf('consumer', mine.body.id, 1)).length, 1)
  t.same(await api.eventsOf(stranger, mine.body.id, 0), [])
})
