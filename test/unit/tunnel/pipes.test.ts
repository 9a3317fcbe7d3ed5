/** Pipes through the tunnel: bytes, the ends of both directions, back-pressure, abort, and what is left afterwards. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import t, { type Test } from 'tap'
import { TunnelDown } from '../../../services/tunnel/index.ts'
import { clientOf, echo, startAgent, startDesk } from '../../support/tunnel.ts'
import { until } from '../../support/until.ts'

const datacenterId = 'dc_pipes'

/** A connected pair whose agent serves pipes so. */
async function connected(t: Test, serve: (pipe: Duplex) => void = echo, limits = {}) {
  const desk = await startDesk({ limits })
  const identity = await clientOf(desk.authority, datacenterId)
  const agent = startAgent({ servers: [desk.address], serve, limits }, desk.authority, identity)
  t.teardown(async () => {
    await desk.server.close()
    await agent.stop()
  })
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  return { desk, agent, open: async () => (await desk.server.open(datacenterId)).on('error', () => undefined) }
}

const isDown = (reason: string) => (error: unknown) => error instanceof TunnelDown && error.reason === reason

t.test('100 MB go there and back unchanged', async (t) => {
  const { open } = await connected(t)
  const pipe = await open()
  const chunk = randomBytes(1 << 20)
  const [sent, got] = [createHash('sha256'), createHash('sha256')]
  let bytes = 0
  pipe.on('data', (data: Buffer) => {
    bytes += data.length
    got.update(data)
  })
  for (let i = 0; i < 100; i++) {
    chunk.writeUInt32BE(i)
    sent.update(chunk)
    if (!pipe.write(Buffer.from(chunk))) await once(pipe, 'drain')
  }
  pipe.end()
  await once(pipe, 'close')
  t.equal(bytes, 100 << 20)
  t.equal(got.digest('hex'), sent.digest('hex'))
})

t.test('either direction ends alone', async (t) => {
  const served = Promise.withResolvers<Duplex>()
  const { open, desk } = await connected(t, served.resolve)
  const near = await open()
  const far = await served.promise
  const heard: string[] = []
  far.on('data', (data) => heard.push(`far ${data}`)).on('end', () => heard.push('far end'))
  near.on('data', (data) => heard.push(`near ${data}`)).on('end', () => heard.push('near end'))
  near.end('last words')
  await once(far, 'end')
  far.write('answer')
  await once(near, 'data')
  t.same(heard, ['far last words', 'far end', 'near answer'], 'the desk ended, and still hears')
  far.end()
  await once(near, 'close')
  t.equal(near.errored, null)

  const again = Promise.withResolvers<Duplex>()
  const { open: openOther } = await connected(t, again.resolve)
  const mine = await openOther()
  const theirs = await again.promise
  theirs.end('first')
  mine.resume()
  await once(mine, 'end')
  mine.end('still here')
  t.equal(String((await once(theirs, 'data'))[0]), 'still here', 'the agent ended, and still hears')
  await once(theirs, 'close')
  t.equal(theirs.errored, null)
  await until(() => desk.server.connections()[0]?.streams === 0, 'no stream is left')
})

t.test('a reader that stalls stalls nobody else, and costs no more than its window', async (t) => {
  const streamWindowBytes = 256 * 1024
  let logs = 0
  const logsAt = () => logs
  const { open } = await connected(
    t,
    (pipe) => {
      pipe.on('error', () => undefined)
      pipe.once('data', async (word: Buffer) => {
        if (String(word) === 'echo') return echo(pipe)
        // As `logs -f` of a program that never stops talking.
        const line = Buffer.alloc(16 * 1024, 'line\n')
        while (!pipe.destroyed) {
          if (!pipe.write(line)) await once(pipe, 'drain').catch(() => undefined)
          logs += line.length
        }
      })
    },
    { streamWindowBytes },
  )
  const stalled = await open()
  stalled.write('logs')
  await once(stalled, 'readable')
  let before = -1
  await until(() => {
    const still = logsAt() === before
    before = logsAt()
    return still && before > 0
  }, 'the sender of logs is held up')
  t.ok(logs <= streamWindowBytes + 400 * 1024, `held up after ${logs} bytes`)

  const fast = await open()
  fast.write('echo')
  const block = randomBytes(1 << 20)
  let bytes = 0
  fast.on('data', (data: Buffer) => {
    bytes += data.length
  })
  for (let i = 0; i < 40; i++) if (!fast.write(block)) await once(fast, 'drain')
  fast.end()
  await once(fast, 'close')
  t.equal(bytes, 40 << 20, 'another pipe of the same connection carries 40 MB meanwhile')
  t.equal(logsAt(), before, 'and the stalled one nothing more')
  t.ok(stalled.readableLength <= streamWindowBytes + 64 * 1024, `${stalled.readableLength} bytes wait at the desk`)
  stalled.destroy()
})

t.test('what an abrupt end cut is never taken for whole', async (t) => {
  const ends: string[] = []
  const watched = (name: string, pipe: Duplex) => {
    pipe.on('end', () => ends.push(name)).resume()
    return new Promise<TunnelDown>((resolve) => void pipe.once('error', resolve))
  }
  const { open } = await connected(t, (pipe) => {
    pipe.on('error', () => undefined)
    pipe.write('half of', () => pipe.destroy())
  })
  const error = await watched('given up', await open())
  t.ok(isDown('reset')(error))
  t.equal(error.code, 'ECONNRESET')

  for (const [name, end] of [
    ['dropped by the desk', ({ desk }) => desk.server.drop(datacenterId)],
    ['desk closed', ({ desk }) => desk.server.close()],
    ['agent stopped', ({ agent }) => agent.stop()],
  ] as [string, (pair: Awaited<ReturnType<typeof connected>>) => unknown][]) {
    const served = Promise.withResolvers<Duplex>()
    const pair = await connected(t, served.resolve, { drainMs: 50 })
    const near = await pair.open()
    const far = await served.promise
    near.write('half of')
    far.write('half of')
    await once(far, 'readable')
    const errors = [watched(`${name}, at the desk`, near), watched(`${name}, at the agent`, far)]
    await end(pair)
    t.same(
      (await Promise.all(errors)).map(({ reason }) => reason),
      ['lost', 'lost'],
      name,
    )
  }
  t.same(ends, [], 'nothing that was cut ended')
})

t.test('the end that gives up is heard at the other as an error', async (t) => {
  const served = Promise.withResolvers<Duplex>()
  const { open } = await connected(t, served.resolve)
  const near = await open()
  const far = await served.promise
  const failed = once(far, 'error')
  far.resume()
  near.destroy()
  t.ok(isDown('reset')((await failed)[0]))
})

t.test('a pipe stands still for as long as it was told, then says so', async (t) => {
  const { open } = await connected(t)
  const pipe = (await open()) as Duplex & { setTimeout(ms: number, listener?: () => void): void }
  const started = performance.now()
  pipe.setTimeout(40)
  await once(pipe, 'timeout')
  t.ok(performance.now() - started >= 39)
  pipe.setTimeout(60_000)
  pipe.setTimeout(30)
  await once(pipe, 'timeout')
  t.ok(performance.now() - started >= 69, 'a shorter limit replaces a longer one')
  pipe.destroy()
})

t.test('2,500 aborted pipes leave nothing behind, nor end their connection', async (t) => {
  let served = 0
  const { open, desk } = await connected(t, (pipe) => {
    served += 1
    pipe.on('error', () => undefined).on('close', () => (served -= 1))
    pipe.write(Buffer.alloc(100_000))
    pipe.resume()
  })
  const resources = () => process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate')
  const before = resources().sort()
  const timersBefore = process.getActiveResourcesInfo().length
  const [first] = desk.server.connections()
  for (let round = 0; round < 50; round++) {
    const pipes = await Promise.all(Array.from({ length: 50 }, open))
    for (const [index, pipe] of pipes.entries()) {
      // Some while reading, some unread, some in the middle of writing.
      if (index % 3 === 0) pipe.resume()
      if (index % 3 === 1) pipe.write(Buffer.alloc(50_000))
      pipe.on('error', () => undefined)
      pipe.destroy()
    }
  }
  await until(() => served === 0, 'the agent has let go of every pipe')
  await until(() => desk.server.connections()[0]?.streams === 0, 'so has the desk')
  t.equal(desk.server.connections()[0]?.connectionId, first?.connectionId, 'on one and the same connection')
  t.same(resources().sort(), before, 'no socket, no handle more')
  await until(() => process.getActiveResourcesInfo().length <= timersBefore + 2, 'no timer is left')
})

t.test('an opening that is aborted gives up the stream', async (t) => {
  const { desk } = await connected(t)
  const abort = new AbortController()
  const opening = desk.server.open(datacenterId, abort.signal)
  abort.abort(new Error('never mind'))
  await t.rejects(opening, { message: 'never mind' })
  await until(() => desk.server.connections()[0]?.streams === 0, 'no stream is left')
  await t.rejects(desk.server.open(datacenterId, AbortSignal.abort(new Error('too late'))), { message: 'too late' })
})

t.test('no more pipes than a connection may have', async (t) => {
  const { open } = await connected(t, echo, { streamsPerConnection: 3 })
  const pipes = await Promise.all([open(), open(), open()])
  await t.rejects(open(), { reason: 'busy', code: 'ECONNREFUSED' })
  for (const pipe of pipes) pipe.destroy()
  await t.resolves(until(async () => (await open().catch(() => undefined)) !== undefined, 'there is room again'))
})
