/** What answers guards in the place of an agent, as a program of its own: it may be stopped, killed and be silent. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  type GuardedSpace,
  guardPath,
  isSigned,
  readAsk,
  signatureHeader,
  signed,
} from '../../services/agent/fallback/guard-wire.ts'
import type { ActivityClass, Epoch } from '../../services/fallback/index.ts'

export interface Answered {
  readonly grants: readonly { readonly hosting: string; readonly epoch: Epoch; readonly activity: ActivityClass }[]
  readonly over: readonly string[]
  readonly spaces: readonly GuardedSpace[]
  /** What every answer grants from then on. */
  readonly leaseMs: number
  readonly stopMs: number
}

export interface GuardAgent {
  readonly port: number
  /** What it was asked, as it came. */
  readonly asked: { readonly seq: number; readonly present: readonly string[]; readonly atMs: number }[]
  /** What it answers from now on. */
  set(what: Answered): void
  /** The same, and waits until it has done so. */
  answer(what: Answered): Promise<void>
  signal(signal: NodeJS.Signals): void
}

export const guardKey = 'the-key-that-guards-and-their-agent-share'
const file = fileURLToPath(import.meta.url)

export async function startGuardAgent(t: { teardown(task: () => unknown): void }, port = 0): Promise<GuardAgent> {
  const child: ChildProcess = fork(file, [String(port)], { execArgv: [] })
  t.teardown(() => child.kill('SIGKILL'))
  const asked: GuardAgent['asked'] = []
  const [first] = (await once(child, 'message')) as [number]
  child.on('message', (message) => {
    if (typeof message === 'object') asked.push(message as GuardAgent['asked'][number])
  })
  return {
    port: first,
    asked,
    set: (what) => child.send(what),
    async answer(what) {
      const before = asked.length
      child.send(what)
      // Until it has answered so.
      while (asked.length < before + 2) await once(child, 'message')
    },
    signal: (signal) => child.kill(signal),
  }
}

if (import.meta.main) {
  let answered: Answered = { grants: [], over: [], spaces: [], leaseMs: 0, stopMs: 6000 }
  process.on('message', (what) => {
    answered = what as Answered
  })
  process.on('disconnect', () => process.exit())
  const key = Buffer.from(guardKey)
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const ask = readAsk(text)
    const signature = String(request.headers[signatureHeader])
    if (!ask || request.url !== guardPath || !isSigned(key, 'ask', text, signature))
      return response.writeHead(400).end()
    const { grants, over, spaces, leaseMs, stopMs } = answered
    const answer = {
      kind: 'grants',
      node: ask.node,
      seq: ask.seq,
      agent: 1,
      grants: grants.map((grant) => ({ ...grant, remainingMs: leaseMs })),
      over,
    }
    const body = JSON.stringify({ answer, spaces, stopMs })
    response.writeHead(200, { [signatureHeader]: signed(key, 'reply', body) }).end(body)
    process.send?.({ seq: ask.seq, present: ask.present, atMs: performance.now() })
  })
  server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}
