/** An answer passed on: whole, no faster than it is taken, cut where it was cut, and over connections that are kept. */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { passOn } from '../../../../services/shared/http/pass-on.ts'
import { until } from '../../../support/until.ts'

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server that passes on what one behind it answers. */
async function stage(t: Test, answer: (response: ServerResponse) => void) {
  const behind = createServer((_, response) => answer(response))
  const connections: Socket[] = []
  behind.on('connection', (socket) => connections.push(socket))
  const port = await listen(t, behind)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const outcomes: (Error | 'passed')[] = []
  const front = createServer((_, response) => {
    request({ port, host: '127.0.0.1', agent }, (from) => {
      const length = from.headers['content-length']
      response.writeHead(from.statusCode ?? 0, length === undefined ? {} : { 'content-length': length })
      passOn(from, response).then(
        () => outcomes.push('passed'),
        (error: Error) => outcomes.push(error),
      )
    }).end()
  })
  const reached = await listen(t, front)
  const ask = async () => {
    const sent = request({ port: reached, host: '127.0.0.1', agent: false }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }
  return { ask, connections, outcomes }
}

async function sizeOf(response: IncomingMessage): Promise<number> {
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) size += chunk.length
  return size
}

for (const [name, bytes, isTold] of [
  ['of a length that is told', 3_000_000, true],
  ['of a length that is not', 3_000_000, false],
  ['small', 2, true],
  ['empty', 0, true],
] as const) {
  t.test(`${name}: whole, and the connection behind is used again`, async (t) => {
    const { ask, connections, outcomes } = await stage(t, (response) => {
      if (isTold) response.setHeader('content-length', bytes)
      response.write(Buffer.alloc(bytes, 'x'))
      response.end()
    })
    for (let round = 1; round <= 3; round++) {
      t.equal(await sizeOf(await ask()), bytes)
      await until(() => outcomes.length === round, 'it is passed on')
    }
    t.same(outcomes, ['passed', 'passed', 'passed'])
    t.equal(connections.length, 1)
  })
}

t.test('the head of an answer that says nothing yet does not wait for it', async (t) => {
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  const { ask } = await stage(t, (response) => {
    response.flushHeaders()
    heard.then(() => response.end('laat'))
  })
  const response = await ask()
  resolve()
  t.equal(await sizeOf(response), 4)
})

t.test('what nobody takes is not fetched either', async (t) => {
  const bytes = 256 * 2 ** 20
  let sent = 0
  const { ask } = await stage(t, async (response) => {
    response.setHeader('content-length', bytes)
    const chunk = Buffer.alloc(2 ** 20, 'x')
    response.on('error', () => undefined)
    for (; sent < bytes; sent += chunk.length) if (!response.write(chunk)) await once(response, 'drain')
    response.end()
  })
  const response = await ask()
  const seen: number[] = []
  await until(() => {
    seen.push(sent)
    return seen.length > 10 && seen.at(-10) === sent
  }, 'the sender waits')
  t.ok(sent < bytes / 4, `${sent} bytes were fetched`)
  t.equal(await sizeOf(response), bytes, 'taken later it is whole')
})

for (const isTold of [true, false]) {
  t.test(`cut off it is cut off, ${isTold ? 'with' : 'without'} a length`, async (t) => {
    const { ask, outcomes } = await stage(t, (response) => {
      if (isTold) response.setHeader('content-length', 10)
      response.write('half', () => response.destroy())
    })
    await t.rejects(ask().then(sizeOf), { code: 'ECONNRESET' })
    await until(() => outcomes.length === 1, 'it is over')
    t.match(outcomes[0], { message: 'aborted' })
  })
}

t.test('who leaves ends what he asked for', async (t) => {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  const { ask, outcomes } = await stage(t, (response) => {
    response.write('begin')
    response.once('close', resolve)
  })
  const response = await ask()
  response.destroy()
  await left
  await until(() => outcomes.length === 1, 'it is over')
  t.same(outcomes, ['passed'])
})
