/** The broker as two organisations use it over HTTP: one that offers datacenters and one that asks for hosting. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import type { Test } from 'tap'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from '../support/database.ts'

export interface Answer {
  readonly status: number
  readonly body: any
}

export interface Account {
  readonly id: string
  get(path: string): Promise<Answer>
  /** The body; rejects with the problem when it is refused. */
  post(path: string, body: object): Promise<any>
  remove(path: string): Promise<Answer>
}

export interface Desk {
  readonly provider: Account
  readonly consumer: Account
  /** What Prometheus would read. */
  metrics(): Promise<string>
}

/** A broker with a database of its own, which may connect to loopback; ended with the test. `TEST_LOG=info` shows its log. */
export async function startDesk(t: Test): Promise<Desk> {
  const database = await testDatabase(t)
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
  const kit = { database, clock: systemClock, random: systemRandom, log }
  const encryptionKey = systemRandom.bytes(32)
  const options = { host: '127.0.0.1', port: 0, managementPort: 0, encryptionKey, allowedAddresses: ['127.0.0.0/8'] }
  const running = await startBroker(kit, options)
  t.teardown(() => running.stop())
  const token = `gc_test_${randomUUID()}`
  await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
  const desk = accountOf(running.url, '', token)
  const join = async (role: string, roles: string[], oin: string) => {
    const { id } = await desk.post('parties', { name: `Partij ${role}`, oin, roles })
    const issued = await desk.post(`parties/${id}/tokens`, { subject: 'test', role })
    return accountOf(running.url, id, issued.token)
  }
  return {
    provider: await join('provider', ['provider', 'consumer'], '00000099000000000101'),
    consumer: await join('consumer', ['consumer'], '00000099000000000102'),
    metrics: async () => (await fetch(`${running.managementUrl}/metrics`)).text(),
  }
}

function accountOf(url: string, id: string, token: string): Account {
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  return {
    id,
    get: (path) => call('GET', path),
    post: async (path, body) => {
      const answer = await call('POST', path, body)
      if (answer.status < 300) return answer.body
      throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    },
    remove: (path) => call('DELETE', path),
  }
}
