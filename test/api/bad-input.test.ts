/** Bad input to every operation: refused with a problem that names the place, never with a 5xx, and the store is as it was. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import t, { type Test } from 'tap'
import type { TestApi } from '../support/api.ts'
import { type Schema, wrongBodies } from '../support/bad-input.ts'
import type { Call, CallOptions } from '../support/call.ts'
import { copiedWorlds, type Operation, operations, type World } from '../support/operations.ts'
import { storeDigest } from '../support/store-digest.ts'

interface Described {
  readonly operationId: string
  readonly requestBody?: { content: { 'application/json': { schema: Schema } } }
  readonly parameters?: readonly { in: string; name: string; schema: Schema }[]
}

interface Desk {
  readonly api: TestApi
  readonly world: World
  readonly described: ReadonlyMap<string, Described>
  readonly resolve: (ref: string) => Schema
}

const copied = copiedWorlds(t)
/** The same in each. */
let document: any

async function desk(t: Test): Promise<Desk> {
  const { api, world } = await copied(t)
  document ??= (await api.call('nobody', 'GET', 'openapi.json')).body
  const all = Object.values(document.paths as Record<string, Record<string, Described>>).flatMap(Object.values)
  const resolve = (ref: string) => document.components.schemas[ref.replace('#/components/schemas/', '')]
  return { api, world, described: new Map(all.map((each) => [each.operationId, each])), resolve }
}

/** Sends it; checks that it is refused as a problem that names each of `pointers`. */
async function refused(
  t: Test,
  { api, world }: Desk,
  { method, path, as }: Operation,
  name: string,
  expected: { status: number; code?: string; pointer?: string; query?: string },
  options: CallOptions = {},
): Promise<Call> {
  const answer = await api.call(as, method, `${path(world)}${expected.query ?? ''}`, options)
  t.equal(answer.status, expected.status, `${name}: ${JSON.stringify(answer.body).slice(0, 300)}`)
  t.match(answer.headers['content-type'], /^application\/problem\+json/, name)
  if (expected.code) t.match(answer.body.type, new RegExp(`/problems/${expected.code}$`), name)
  if (expected.pointer !== undefined) {
    const pointers = (answer.body.errors ?? []).map((error: { pointer: string }) => error.pointer)
    t.ok(pointers.includes(expected.pointer), `${name}: ${expected.pointer} in ${JSON.stringify(pointers)}`)
  }
  return answer
}

for (const [operationId, operation] of Object.entries(operations)) {
  t.test(`${operationId}: bad input is refused and changes nothing`, async (t) => {
    const all = await desk(t)
    const { api, world, described } = all
    const before = await storeDigest(api.kit.database)
    const { parameters = [], requestBody } = described.get(operationId) ?? {}
    await badQueries(t, all, operation, parameters)
    // What needs no credential has no caller whose keys could be kept; its repeat is known by what it holds.
    if (operation.method === 'POST' && operation.roles !== 'public') await badKeys(t, all, operation)
    if (requestBody) await badBodies(t, all, operation, requestBody.content['application/json'].schema)
    else await bodiesNobodyReads(t, all, operation)
    if (operation.path(world).includes('_')) {
      const long = {
        ...operation,
        path: (w: World) => operation.path(w).replace(/_[a-z0-9]{26}/, `_${'0'.repeat(120)}`),
      }
      await refused(t, all, long, 'an id that is too long', { status: 400, pointer: '/params/id' })
    }
    t.same(await storeDigest(api.kit.database), before, 'the store is as it was')
  })
}

async function badQueries(t: Test, all: Desk, operation: Operation, parameters: NonNullable<Described['parameters']>) {
  const body = operation.body && { body: operation.body(all.world) }
  const refuse = (name: string, query: string, pointer: string) =>
    refused(t, all, operation, name, { status: 400, code: 'invalid-fields', query, pointer }, body)
  await refuse('unknown parameter', '?noSuchParameter=1', '/query/noSuchParameter')
  await refuse('prototype as a parameter', '?constructor=1', '/query/constructor')
  for (const { name, schema } of parameters.filter((parameter) => parameter.in === 'query')) {
    await refuse('twice', `?${name}=1&${name}=1`, `/query/${name}`)
    await refuse('null byte', `?${name}=%00`, `/query/${name}`)
    await refuse('terminal sequence', `?${name}=a%1b%5b2J`, `/query/${name}`)
    await refuse('not UTF-8', `?${name}=%ff%fe`, `/query/${name}`)
    await refuse('empty', `?${name}=`, `/query/${name}`)
    const length = ((schema.maxLength as number | undefined) ?? 1_000) + 1
    await refuse('too long', `?${name}=${'a'.repeat(length)}`, `/query/${name}`)
  }
}

async function badKeys(t: Test, all: Desk, operation: Operation) {
  const body = operation.body && { body: operation.body(all.world) }
  const key = (value: string) => ({ ...body, headers: { 'idempotency-key': value } })
  const expected = { status: 400, pointer: '/headers/idempotency-key' }
  await refused(t, all, operation, 'a short key', expected, key('short'))
  await refused(t, all, operation, 'a long key', expected, key('k'.repeat(201)))
  await refused(t, all, operation, 'a key with blanks', expected, key('a key with blanks'))
  const { method, path, as } = operation
  const none = await all.api.call(as, method, path(all.world), {
    ...body,
    headers: { 'idempotency-key': undefined },
  })
  t.match(none, { status: 400, body: { type: /idempotency-key-missing$/ } }, 'no key')
}

async function badBodies(t: Test, all: Desk, operation: Operation, schema: Schema) {
  const good = operation.body?.(all.world)
  const text = JSON.stringify(good)
  const refuse = (name: string, status: number, code: string, payload: string, type = 'application/json') =>
    refused(t, all, operation, name, { status, code }, { payload, headers: { 'content-type': type } })

  for (const type of [
    'text/plain',
    'application/xml',
    'application/json5',
    'application/jsonp',
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    'application/json;charset=utf-16',
    'application/json, text/plain',
    'application/json\ttext/plain',
    'application/problem+json',
  ])
    await refuse(`media type ${type}`, 415, 'wrong-media-type', text, type)
  await refuse('nothing', 400, 'malformed-request', '')
  await refuse('blanks', 400, 'malformed-request', '  \n')
  await refuse('half', 400, 'malformed-request', text.slice(0, -1))
  await refuse('something behind it', 400, 'malformed-request', `${text} {}`)
  await refuse('a byte order mark', 400, 'malformed-request', `\ufeff${text}`)
  await refuse('a comment', 400, 'malformed-request', `/* */ ${text}`)
  await refuse('too large', 413, 'too-large', JSON.stringify({ padding: 'x'.repeat(1_048_576) }))
  await refuse('too deep', 400, 'malformed-request', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)
  await refuse('a prototype', 400, 'malformed-request', text.replace('{', '{"__proto__": {"polluted": true},'))
  await refuse('a constructor', 400, 'invalid-fields', text.replace('{', '{"constructor": {"prototype": {}},'))
  for (const payload of ['null', '[]', '"text"', '12', 'true'])
    await refuse(`${payload} as a whole`, 400, 'invalid-fields', payload)
  const missing = await all.api.call(operation.as, operation.method, operation.path(all.world))
  t.match(missing, { status: 400, headers: { 'content-type': /problem\+json/ } }, 'no body at all')

  const wrong = wrongBodies(good, schema, all.resolve)
  // One field can be wrong in no more ways than there are types.
  const enough = Math.min(9, 7 * Object.keys(good ?? {}).length)
  t.ok(wrong.length >= enough, `${wrong.length} ways to be wrong`)
  for (const { what, pointer, text: payload } of wrong)
    await refused(t, all, operation, what, { status: 400, pointer }, { payload })
}

/** An operation that takes no body does not let one pass unread: whoever sends it expects something of it. */
async function bodiesNobodyReads(t: Test, all: Desk, operation: Operation) {
  const expected = { status: 400, code: 'malformed-request' }
  await refused(t, all, operation, 'a body', expected, { payload: '{"force":true}' })
  await refused(t, all, operation, 'text', expected, { payload: 'x', headers: { 'content-type': 'text/plain' } })
}

t.test('a path has one reading: every operation, every way to write it otherwise', async (t) => {
  const { api, world } = await desk(t)
  const base = new URL(await api.listen())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const before = await storeDigest(api.kit.database)
  const send = (method: string, path: string, token: string) =>
    new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID(), 'content-length': '0' }
      const call = request({ agent, host: base.hostname, port: base.port, method, path, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        const { statusCode: status = 0 } = response
        response.on('end', () => resolve({ status, type: response.headers['content-type'] ?? '', text }))
      })
      call.on('error', reject).end()
    })
  for (const [name, { method, path, as }] of Object.entries(operations)) {
    const good = `/api/v1/${path(world)}`
    for (const bad of otherWaysToWrite(good)) {
      const { status, type, text } = await send(method, bad, api.tokenOf(as))
      t.match(type, /^application\/problem\+json/, `${name} ${bad}`)
      t.equal(status, 400, `${name} ${bad}`)
      t.match(text, /path-not-canonical|malformed-request/, `${name} ${bad}`)
    }
  }
  t.same(await storeDigest(api.kit.database), before, 'the store is as it was')
})

function otherWaysToWrite(good: string): string[] {
  const last = good.split('/').at(-1) ?? ''
  const head = good.slice(0, -last.length)
  return [
    `${good}/`,
    `/${good}`,
    `${head}/${last}`,
    `${head}./${last}`,
    `${head}../v1/${last}`,
    `${head}%2e%2e/${last}`,
    `${head}..%2f${last}`,
    `${head}%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${head}\\${last}`,
    `${head.slice(0, -1)}\\${last}`,
    `${good}%00`,
    `${good}%`,
    `${good};a=b`,
    `${good}#x`,
    `${good}??`,
    `http://other.example${good}`,
  ]
}
