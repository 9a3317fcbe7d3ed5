/** The broker as two organisations use it over HTTP: one that offers datacenters and one that asks for hosting. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import type { Test } from 'tap'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { type Broker, type BrokerOptions, startBroker } from '../../services/broker/broker.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from '../support/database.ts'
import { until } from './wait.ts'

const busyMs = 60_000

export interface Answer {
  readonly status: number
  readonly body: any
}

export interface Account {
  readonly id: string
  readonly token: string
  get(path: string): Promise<Answer>
  /** The body; rejects with the problem when it is refused. */
  post(path: string, body?: object): Promise<any>
  put(path: string, body: object): Promise<any>
  remove(path: string): Promise<Answer>
}

export interface Desk {
  /** The desk itself. */
  readonly loket: Account
  readonly provider: Account
  readonly consumer: Account
  readonly kit: Kit
  readonly encryptionKey: Uint8Array
  /** A party of its own, which asks for hosting. */
  newConsumer(oin: string): Promise<Account>
  /** The origin of its API, and that of its management port. */
  readonly url: string
  /** To the agent of a datacenter, as the gateway beside the broker has it. */
  readonly pipe: NonNullable<Broker['pipe']>
  /** Stops the broker and starts it on the same store, at the same ports. */
  restart(): Promise<void>
  /** What Prometheus would read. */
  metrics(): Promise<string>
}

/** A broker with a database of its own, which may connect to loopback; ended with the test. `TEST_LOG=info` shows its log. */
export async function startDesk(t: Test, more: Pick<BrokerOptions, 'mirrorTiming'> = {}): Promise<Desk> {
  const database = await testDatabase(t)
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
  const kit = { database, clock: systemClock, random: systemRandom, log }
  const encryptionKey = systemRandom.bytes(32)
  const host = '127.0.0.1'
  const tunnel = { host, port: 0, address: undefined }
  const allowedAddresses = ['127.0.0.0/8']
  const options = { ...more, host, port: 0, managementPort: 0, tunnel, encryptionKey, allowedAddresses }
  let running = await startBroker(kit, options)
  t.teardown(() => running.stop())
  const token = `gc_test_${randomUUID()}`
  await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
  return {
    ...(await joinParties(running.url, token)),
    kit,
    encryptionKey,
    url: running.url,
    pipe: (datacenterId) => {
      if (!running.pipe) throw new Error('this broker has no tunnel')
      return running.pipe(datacenterId)
    },
    restart: async () => {
      const [port = 0, managementPort = 0, tunnelPort = 0] = portsOf(running)
      await running.stop()
      running = await startBroker(kit, { ...options, port, managementPort, tunnel: { ...tunnel, port: tunnelPort } })
    },
    metrics: async () => (await fetch(`${running.managementUrl}/metrics`)).text(),
  }
}

/** The two organisations, at a desk whose token this is. */
export async function joinParties(
  url: string,
  token: string,
): Promise<Pick<Desk, 'loket' | 'provider' | 'consumer' | 'newConsumer'>> {
  const loket = accountOf(url, '', token)
  const join = async (role: string, roles: string[], oin: string) => {
    const { id } = await loket.post('parties', { name: `Partij ${role}`, oin, roles })
    const issued = await loket.post(`parties/${id}/tokens`, { subject: 'test', role })
    return accountOf(url, id, issued.token)
  }
  return {
    loket,
    newConsumer: (oin) => join('consumer', ['consumer'], oin),
    provider: await join('provider', ['provider', 'consumer'], '00000099000000000101'),
    consumer: await join('consumer', ['consumer'], '00000099000000000102'),
  }
}

const portsOf = ({ url, managementUrl, tunnelUrl = '' }: Broker) =>
  [url, managementUrl, tunnelUrl].map((each) => Number(/:(\d+)$/.exec(each)?.[1]))

/** As a client should: a change that is refused because the broker is busy is sent again, with the same key. */
function accountOf(url: string, id: string, token: string): Account {
  const call = (method: string, path: string, body?: object): Promise<Answer> => {
    const sent = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }
    return until(`${method} ${path} to be taken`, busyMs, async () => {
      const response = await fetch(`${url}/api/v1/${path}`, sent)
      const text = await response.text()
      if (response.status === 503 && response.headers.has('retry-after')) return undefined
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    })
  }
  const change = async (method: string, path: string, body?: object) => {
    const answer = await call(method, path, body)
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }
  return {
    id,
    token,
    get: (path) => call('GET', path),
    post: (path, body) => change('POST', path, body),
    put: (path, body) => change('PUT', path, body),
    remove: (path) => call('DELETE', path),
  }
}
