/** A small HTTPS server in the place of an API server: the test decides what it answers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Test } from 'tap'
import { systemClock } from '../../../../services/shared/clock.ts'
import {
  type ClusterClient,
  type Connection,
  type ConnectOptions,
  connectCluster,
} from '../../../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../../../services/shared/random.ts'
import { type Authority, createAuthority } from './authority.ts'

export interface Seen {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Common name of the client's certificate, when it showed one that we trust. */
  readonly client: string | undefined
}

export interface ApiServer {
  readonly url: string
  readonly port: number
  readonly authority: Authority
  readonly connection: Connection
  /** All calls so far, in order. */
  readonly seen: Seen[]
  /** How many connections were ever opened. */
  connections(): number
  /** Cuts all connections. */
  cut(): void
}

export type Answer = (call: Seen, response: ServerResponse) => void

export async function startApiServer(
  t: Pick<Test, 'teardown'>,
  answer: Answer,
  names = ['127.0.0.1', 'k8s.test'],
): Promise<ApiServer> {
  const authority = createAuthority()
  const identity = authority.issue('server', names)
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const tls = { ...identity, ca: authority.ca, requestCert: true, rejectUnauthorized: false }
  const server = createServer(tls, async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const socket = request.socket as TLSSocket
    const { url = '', method = '', headers } = request
    const client = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined
    const call = { method, url: new URL(url, 'https://k8s.test'), headers, body, client }
    seen.push(call)
    answer(call, response)
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `https://127.0.0.1:${port}`
  const caData = Buffer.from(authority.ca).toString('base64')
  return {
    url,
    port,
    authority,
    connection: { server: url, caData, token: 'secret-token' },
    seen,
    connections: () => connections,
    cut,
  }
}

/** A client that may reach loopback, closed with the test. */
export async function clientOf(
  t: Pick<Test, 'teardown'>,
  connection: Connection,
  options: Partial<ConnectOptions> = {},
): Promise<ClusterClient> {
  const all = { clock: systemClock, random: systemRandom, allowedAddresses: ['127.0.0.0/8'], ...options }
  const client = await connectCluster(connection, all)
  t.teardown(() => client.close())
  return client
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A refusal as Kubernetes words it. */
export function refuse(response: ServerResponse, status: number, reason: string, message: string): void {
  json(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status }, status)
}

const resources = [
  { name: 'pods', kind: 'Pod', namespaced: true },
  { name: 'pods/status', kind: 'Pod', namespaced: true },
  { name: 'nodes', kind: 'Node', namespaced: false },
]

/** Answers discovery of the core group; true when it was asked. */
export function discovery({ url }: Seen, response: ServerResponse): boolean {
  if (url.pathname !== '/api/v1') return false
  json(response, { kind: 'APIResourceList', groupVersion: 'v1', resources })
  return true
}
