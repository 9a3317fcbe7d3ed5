/** A desk of nothing but certificates and a tunnel, that says to the agents of datacenters what a test wants it to say. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { requestChannel } from '../../services/fallback/wire/index.ts'
import { rfc3339, systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { issueClient, readRequest } from '../../services/shared/x509.ts'
import { type Meeting, type ScriptedDesk, scriptDesk } from '../support/scripted-desk.ts'
import { startDesk, validity } from '../support/tunnel.ts'
import { until } from './wait.ts'

export interface TunnelDesk {
  /** Where agents join. */
  readonly url: string
  /** A channel to whoever is the agent of the datacenter, as soon as there is one. */
  meet(meeting?: Meeting): Promise<ScriptedDesk>
}

const datacenter = 'dc_a'
const patience = 60_000

/** Everybody who asks is the agent of one datacenter. */
export async function startTunnelDesk(t: Pick<Test, 'teardown'>): Promise<TunnelDesk> {
  const { server, address, authority } = await startDesk()
  t.teardown(() => server.close())
  const certificates = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const asked = await readRequest((JSON.parse(text) as { csr: string }).csr)
    if (!asked) return void response.writeHead(400).end('{}')
    const name = { commonName: datacenter, organisation: 'gemeentecloud' }
    const within = validity()
    const certificate = await issueClient(authority, name, asked.spki, within, systemRandom)
    const renewAt = rfc3339(systemClock.now() + 3_600_000)
    const body = { certificate, authorities: [authority.cert], tunnels: [address], renewAt }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => void certificates.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void certificates.close())
  const open = async () => {
    const pipe = await server.open(datacenter)
    return { pipe, first: await requestChannel(pipe, AbortSignal.timeout(5_000)) }
  }
  return {
    url: `http://127.0.0.1:${(certificates.address() as AddressInfo).port}`,
    async meet(meeting) {
      const { pipe, first } = await until('a channel to the agent', patience, open)
      return scriptDesk(pipe, meeting, first)
    },
  }
}
