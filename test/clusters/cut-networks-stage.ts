/** The stage of failovers with each datacenter's agent and guard in a network of its own, which can be cut off from others. */
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { type FailoverStage, setFailoverStage, sites } from './failover-stage.ts'
import { type Networks, startNetworks } from './networks.ts'
import { serverIdentity } from './server-identity.ts'

const peerPort = 8084

export interface CutStage extends FailoverStage {
  readonly networks: Networks
}

/**
 * The broker is reached by the router, as are agents by their peers. The cluster of a datacenter runs beside us, and its agent
 * reaches it by a wire of its own: what is cut is the network between datacenters, not within one.
 */
export async function setCutStage(t: Test): Promise<CutStage> {
  const networks = await startNetworks(t, sites)
  const { ourAddress, addressOf, besideOf, within } = networks
  const stage = await setFailoverStage(t, {
    host: ourAddress,
    front: (api) => startFront(t, ourAddress, api),
    address: besideOf,
    within,
    agentEnv: (site) => ({
      HOST: '0.0.0.0',
      PEER_PORT: String(peerPort),
      PEER_ADDRESS: `${addressOf(site)}:${peerPort}`,
    }),
  })
  return { ...stage, networks }
}

/** What ends TLS before the broker: beyond loopback no agent sends its join token in the clear. */
async function startFront(t: Pick<Test, 'teardown'>, host: string, api: string) {
  const { cert, key, files } = await serverIdentity(t, host)
  const server = createServer({ cert, key }, (asked, answer) => {
    const { method, headers, url } = asked
    const passed = request(new URL(url ?? '', api), { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    asked.pipe(passed)
  })
  await new Promise<void>((resolve) => void server.listen(0, host, resolve))
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { url: `https://${host}:${port}`, env: { NODE_EXTRA_CA_CERTS: files.ca } }
}
