/** A broker that answers as told, to see what the command line makes of it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { cli, hurriedClock } from './fake-io.ts'

export type Answer = (response: ServerResponse, call: IncomingMessage) => void

const token = 'gc_0123456789abcdef'
export const json = (status: number, body: unknown, headers = {}): Answer => {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  return (response) => response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body))
}
export const cut: Answer = (_response, call) => call.socket.destroy()

/** A broker that answers call by call as told, the last answer for good. */
export async function broker(t: Test, ...answers: Answer[]) {
  const keys: (string | undefined)[] = []
  const seen: string[] = []
  const server = createServer((call, response) => {
    keys.push(call.headers['idempotency-key'] as string | undefined)
    seen.push(`${call.method} ${call.url} ${call.headers['last-event-id'] ?? ''}`.trim())
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    call.resume().on('end', () => answer?.(response, call))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as { port: number }
  const clock = hurriedClock()
  const env = {
    GEMEENTECLOUD_URL: `http://127.0.0.1:${port}`,
    GEMEENTECLOUD_TOKEN: token,
    GEMEENTECLOUD_DATA: '/nonexistent',
  }
  const run = (...argv: string[]) => cli(argv, { env, clock })
  const register = () => run('system', 'register', '--slug', 'zaak', '--name', 'Zaak', '--classes', '1,1,1')
  return { keys, seen, clock, env, run, register, stop: () => server.close().closeAllConnections() }
}
