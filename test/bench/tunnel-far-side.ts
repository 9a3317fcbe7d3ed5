/** Starting the far side of the bench of the tunnel. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { systemRandom } from '../../services/shared/random.ts'
import { issueServer } from '../../services/shared/x509.ts'
import { clientOf, type Desk, validity } from '../support/tunnel.ts'
import type { PeerOrders } from './tunnel-peer.ts'

export interface FarSide {
  readonly process: ChildProcess
  /** Of the server that is reached by TLS without the tunnel. */
  readonly port: number
}

/** A process with one agent for each of these datacenters. */
export async function startFarSide(desk: Desk, datacenterIds: readonly string[]): Promise<FarSide> {
  const process = fork(new URL('./tunnel-peer.ts', import.meta.url), { execArgv: [] })
  const orders: PeerOrders = {
    address: desk.address,
    authority: desk.authority,
    server: await issueServer(desk.authority, ['localhost', '127.0.0.1'], validity(), systemRandom),
    agents: await Promise.all(datacenterIds.map((id) => clientOf(desk.authority, id))),
  }
  process.send(orders)
  const [port] = await once(process, 'message')
  return { process, port }
}
