/** Sites among each other, when the desk is silent: mutual TLS with the certificates that the desk gave their agents. */
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as post, type Server, type ServerOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { BetweenSites, DatacenterId } from '../../fallback/index.ts'
import { readBetweenSites } from '../../fallback/wire/index.ts'
import { type Clock, deadline } from '../../shared/clock.ts'
import { peerFacts } from '../../tunnel/index.ts'
import type { Known } from '../join.ts'
import { readBody } from './body.ts'

const path = '/peer'
const maxBytes = 64 * 1024
const withinMs = 5_000

export type Hold = BetweenSites & { readonly kind: 'hold' }

export interface PeerServerOptions {
  readonly isPeer: (id: DatacenterId) => boolean
  /** Rejects when there is no answer now. */
  readonly answer: (from: DatacenterId, hold: Hold) => Promise<BetweenSites>
}

export interface PeerServer {
  readonly server: Server
  /** Goes by this certificate and these authorities for every connection from now on. */
  renew(known: Known): void
}

export function createPeerServer(known: Known, options: PeerServerOptions): PeerServer {
  const server = createServer(contextOf(known), async (request, response) => {
    await answered(request, response, options).catch(() => response.writeHead(503).end())
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return { server, renew: (now) => server.setSecureContext(contextOf(now)) }
}

function contextOf({ certificate: cert, key, authorities }: Known): ServerOptions {
  return { cert, key, ca: [...authorities], requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' }
}

async function answered(
  request: IncomingMessage,
  response: ServerResponse,
  { isPeer, answer }: PeerServerOptions,
): Promise<void> {
  const shown = (request.socket as TLSSocket).getPeerX509Certificate()
  const from = shown && peerFacts(shown, '')?.datacenterId
  if (from === undefined || !isPeer(from)) return void response.writeHead(403).end()
  if (request.method !== 'POST' || request.url !== path) return void response.writeHead(404).end()
  const text = await readBody(request, maxBytes)
  const read = text === undefined ? undefined : readBetweenSites(text)
  if (!read?.ok || read.message.kind !== 'hold') return void response.writeHead(400).end()
  const body = JSON.stringify(await answer(from, read.message))
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}

/** Asks the peer at this address. Rejects when it cannot be reached, is not who it should be, or does not answer. */
export async function askPeer(
  { id, address }: { readonly id: DatacenterId; readonly address: string },
  hold: Hold,
  known: Known,
  clock: Clock,
): Promise<BetweenSites> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const call = post(`https://${address}${path}`, {
    method: 'POST',
    cert: known.certificate,
    key: known.key,
    // Certificates of agents are for clients and name no host; what they name is checked below, before anything is said.
    rejectUnauthorized: false,
    agent: false,
    minVersion: 'TLSv1.3',
    headers: { 'content-type': 'application/json' },
    signal: deadline(withinMs),
  })
  call.on('error', reject)
  call.on('response', resolve)
  call.on('socket', (socket) =>
    socket.once('secureConnect', () => {
      const trouble = troubleOf((socket as TLSSocket).getPeerX509Certificate(), id, known.authorities, clock.now())
      if (trouble === undefined) call.end(JSON.stringify(hold))
      else call.destroy(new Error(trouble))
    }),
  )
  const answer = await promise
  const text = await readBody(answer, maxBytes)
  if (answer.statusCode !== 200 || text === undefined) throw new Error(`the peer answered ${answer.statusCode}`)
  const read = readBetweenSites(text)
  if (!read.ok) throw new Error('the peer gave no answer that can be read')
  return read.message
}

/** Why the other end is not this datacenter. Authorities issue no further authorities, so one step is the whole chain. */
function troubleOf(
  shown: X509Certificate | undefined,
  id: DatacenterId,
  authorities: readonly string[],
  now: number,
): string | undefined {
  if (!shown) return 'the peer showed no certificate'
  const facts = peerFacts(shown, '')
  if (facts?.datacenterId !== id) return 'the peer is another datacenter'
  if (now < facts.notBefore || now > facts.notAfter) return 'the certificate of the peer has run out'
  const isIssued = authorities
    .map((pem) => new X509Certificate(pem))
    .some((authority) => shown.checkIssued(authority) && shown.verify(authority.publicKey))
  return isIssued ? undefined : 'the certificate of the peer is of an authority that is not known'
}
