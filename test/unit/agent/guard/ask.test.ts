/** How a guard asks its agent: one replica that answers is enough, and nobody else's answer counts. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { maxGuardBytes, signatureHeader, signed } from '../../../../services/agent/fallback/guard-wire.ts'
import { agentLine } from '../../../../services/agent/guard/ask.ts'
import type { GuardAsk } from '../../../../services/fallback/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const key = Buffer.from('0123456789abcdef0123456789abcdef')
const question: GuardAsk = { kind: 'ask', node: 'node-1', seq: 7, agent: 0, present: [] }
const reply = {
  answer: { kind: 'grants', node: 'node-1', seq: 7, agent: 1, grants: [], over: [] },
  spaces: [{ namespace: 'zaak', hosting: 'h1', activity: 'exclusive' }],
  stopMs: 20_000,
}
const text = JSON.stringify(reply)

type Respond = (response: ServerResponse) => void

async function replica(t: Test, host: string, port: number, respond: Respond) {
  const server = createServer((request, response) => {
    request.resume().on('end', () => respond(response))
  })
  server.listen(port, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function line(t: Test, address: string, ...find: (() => Promise<string[]>)[]) {
  const folder = temporaryFolder('ask')
  t.teardown(() => folder.remove())
  const file = join(folder.path, 'key')
  writeFileSync(file, key)
  const made = agentLine(address, file, ...find)
  t.teardown(() => made.close())
  return made
}

const answered: Respond = (response) =>
  response.writeHead(200, { [signatureHeader]: signed(key, 'reply', text) }).end(text)

t.test('an answer that is signed with the key that both have', async (t) => {
  const port = await replica(t, '127.0.0.1', 0, answered)
  t.same(await line(t, `127.0.0.1:${port}`).ask(question, 5_000), reply)
})

t.test('anything else is none, with the reason', async (t) => {
  const head = (status: number, body: string, other = key): Respond => {
    return (response) => response.writeHead(status, { [signatureHeader]: signed(other, 'reply', body) }).end(body)
  }
  const ways: Record<string, [Respond, RegExp]> = {
    'a standby': [(response) => response.writeHead(503).end(), /answers 503/],
    'another key': [head(200, text, Buffer.from('another')), /signs otherwise/],
    'no signature': [(response) => response.writeHead(200).end(text), /signs otherwise/],
    'a question sent back': [
      (response) => response.writeHead(200, { [signatureHeader]: signed(key, 'ask', text) }).end(text),
      /signs otherwise/,
    ],
    'no JSON': [head(200, '{'), /cannot be read/],
    'another shape': [head(200, '{"answer":{},"spaces":[],"stopMs":1}'), /cannot be read/],
    'too much': [head(200, ' '.repeat(maxGuardBytes + 1)), /larger than/],
    'half of it': [
      (response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{')
        setImmediate(() => response.destroy())
      },
      /aborted|hang up|ECONNRESET/,
    ],
    'nothing at all': [() => undefined, /abort|timeout/i],
  }
  for (const [name, [respond, reason]] of Object.entries(ways)) {
    const port = await replica(t, '127.0.0.1', 0, respond)
    await t.rejects(line(t, `127.0.0.1:${port}`).ask(question, 1_000), { message: reason }, name)
  }
  await t.rejects(line(t, '127.0.0.1:1').ask(question, 1_000), /ECONNREFUSED/)
})

t.test('a replica that hangs takes nothing from the one that answers', async (t) => {
  const port = await replica(t, '127.0.0.1', 0, () => undefined)
  await replica(t, '127.0.0.2', port, answered)
  const beganAt = performance.now()
  t.same(await line(t, `agent:${port}`, async () => ['127.0.0.1', '127.0.0.2']).ask(question, 10_000), reply)
  t.ok(performance.now() - beganAt < 9_000)
})

t.test('while names cannot be looked up the addresses that were known are asked', async (t) => {
  const port = await replica(t, '127.0.0.1', 0, answered)
  let looks = 0
  const made = line(t, `agent:${port}`, async () => {
    looks += 1
    if (looks > 1) throw new Error('no resolver')
    return ['127.0.0.1']
  })
  for (let times = 0; times < 3; times++) t.same(await made.ask(question, 5_000), reply)
  t.ok(looks > 1)
  const never = line(t, `agent:${port}`, () => Promise.reject(new Error('no resolver')))
  await t.rejects(never.ask(question, 1_000), /no resolver/)
  await t.rejects(line(t, `agent:${port}`, async () => []).ask(question, 1_000), /agent has no address/)
})
