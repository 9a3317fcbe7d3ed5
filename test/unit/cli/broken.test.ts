/** The command line against a broker in trouble: what is tried again and what is not, never twice, and what a person is told. */
import t from 'tap'
import { type Answer, broker, cut, json } from './fake-broker.ts'
import { cli } from './fake-io.ts'

const busy = (headers = {}) => json(503, { title: 'Too busy just now', action: 'Retry.' }, headers)
const made = { id: 'sys_1', slug: 'zaak' }

t.test('a connection that breaks is tried again with the same key', async (t) => {
  const { register, keys } = await broker(t, cut, cut, json(201, made))
  t.match(await register(), { code: 0, out: /zaak is registered/ })
  t.equal(keys.length, 3)
  t.equal(new Set(keys).size, 1, 'one intention')
  t.match(keys[0], /^[0-9a-f]{32}$/)
})

t.test('a busy broker is given time, as much as it asks', async (t) => {
  const { register, clock, keys } = await broker(
    t,
    busy({ 'retry-after': '3' }),
    busy({ 'retry-after': '9999' }),
    json(201, made),
  )
  t.equal((await register()).code, 0)
  t.same(clock.slept, [3_000, 10_000], 'but not for ever')
  t.equal(keys.length, 3)
  const never = await broker(t, busy())
  t.match(await never.register(), { code: 5, err: /Too busy just now/ })
  t.equal(never.keys.length, 4, 'then it is given up')
})

t.test('when nobody knows whether it was done, the key is told', async (t) => {
  const { register, keys } = await broker(t, cut)
  const { code, err } = await register()
  t.equal(code, 5)
  t.match(err, /gives no answer.*\nWhether the change was made is not known/)
  t.ok(err.includes(`--idempotency-key ${keys[0]}`))
})

t.test('what was refused is not tried again', async (t) => {
  for (const [status, code] of [
    [400, 2],
    [401, 4],
    [403, 4],
    [404, 3],
    [408, 5],
    [409, 1],
    [412, 1],
    [500, 5],
  ] as const) {
    const { register, keys } = await broker(
      t,
      json(status, { title: 'No', detail: 'because\u001b[2J', action: 'Do otherwise.' }),
    )
    const ended = await register()
    t.equal(ended.code, code, String(status))
    t.match(ended.err, /^gemeentecloud: No: because\\u001b\[2J\n/, 'and what it says steers no terminal')
    t.equal(keys.length, 1)
  }
})

t.test('a broker that is not there, and something else in its place', async (t) => {
  const { run, register, stop } = await broker(t, json(200, {}))
  stop()
  const { code, err } = await register()
  t.equal(code, 5)
  t.match(err, /gives no answer \(ECONNREFUSED\)/)
  t.notMatch(err, /idempotency-key/, 'it was never asked')
  t.match(await run('hosting', 'list', '--url', 'http://user:secret@127.0.0.1'), {
    code: 2,
    err: /more than host and path/,
  })
  const other = await broker(t, (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'))
  t.match(await other.run('datacenter', 'list'), {
    code: 5,
    err: /answered 200 text\/html: that is no gemeentecloud API/,
  })
  const moved = await broker(t, (response) => response.writeHead(302, { location: 'http://evil.example/' }).end())
  t.match(await moved.run('datacenter', 'list'), { code: 5, err: /answered 302/ }, 'a token follows no redirect')
})

t.test('events are followed over a break, from where they were', async (t) => {
  const event = (n: number) => ({
    id: `evt_${n}`,
    cursor: `${n}-1`,
    type: 'test.happened',
    at: '2027-01-01T00:00:00Z',
    subject: { kind: 'test', id: `thing-${n}` },
    partyId: null,
    actor: 'test',
    requestId: null,
    data: {},
  })
  const told = (n: number) => `id: ${n}-1\nevent: x\ndata: ${JSON.stringify(event(n))}\n\n`
  const stream =
    (...messages: string[]): Answer =>
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(messages.join(''))
      setTimeout(() => response.destroy(), 20)
    }
  const { env, seen, clock } = await broker(
    t,
    json(200, { items: [event(1)] }),
    stream(told(2), told(3)),
    cut,
    stream(told(4), ': still here\nid: 9-0\n\n'),
    json(403, { title: 'No' }),
  )
  const { code, out, err } = await cli(['events', '--follow'], { env, clock })
  t.equal(code, 4, 'until it is refused')
  t.same(out.match(/thing-\d/g), ['thing-1', 'thing-2', 'thing-3', 'thing-4'], 'each once, in order')
  t.same(
    seen.map((call) => call.split(' ')[2]),
    [undefined, '1-1', '3-1', '3-1', '9-0'],
    'the last that was shown is named, or how far the log was read for us',
  )
  t.match(err, /trying again/)
})
