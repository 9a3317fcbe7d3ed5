/** The far side of the bench of the tunnel, a process of its own: a server reached by TLS directly, and agents before it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Identity } from '../../services/shared/x509.ts'
import { startAgent } from '../support/tunnel.ts'

export interface PeerOrders {
  readonly address: string
  readonly authority: Identity
  readonly server: Identity
  readonly agents: readonly Identity[]
}

const object = Buffer.from(JSON.stringify({ kind: 'Pod', metadata: { name: 'x'.repeat(900) } }))
const block = Buffer.alloc(1 << 20, 'block')

/** `/` is a small object, `/N` a stream of N MiB. */
function respond(incoming: IncomingMessage, response: ServerResponse): void {
  let left = Number(incoming.url?.slice(1))
  if (!left) return void response.setHeader('content-type', 'application/json').end(object)
  const more = () => {
    while (left > 0) {
      left -= 1
      if (!response.write(block)) return void response.once('drain', more)
    }
    response.end()
  }
  more()
}

/** Orders start it and are answered with the port that is reached directly; `cpu` is answered with microseconds used. */
process.on('message', (message: PeerOrders | 'cpu') => {
  if (message === 'cpu') {
    const { user, system } = process.cpuUsage()
    return void process.send?.(user + system)
  }
  const { address, authority, server, agents } = message
  const behind = createServer(respond)
  const serve = (pipe: unknown) => void behind.emit('connection', pipe)
  for (const identity of agents) startAgent({ servers: [address], serve }, authority, identity)
  const direct = createTlsServer({ ...server, minVersion: 'TLSv1.3' }, respond)
  direct.listen(0, '127.0.0.1', () => process.send?.((direct.address() as AddressInfo).port))
})
