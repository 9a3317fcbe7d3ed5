/** The desk's end of the tunnel: which agents may connect, which must go, and a certificate of our own that is never old. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../shared/clock.ts'
import { uuid } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import {
  type Admission,
  createTunnelServer,
  type PeerCertificateFacts,
  type TunnelChange,
  type TunnelServer,
} from '../../tunnel/index.ts'
import { appendEvents } from '../audit/index.ts'
import { type Authorities, organisation } from './authorities.ts'
import { renewalAt } from './core/authorities.ts'
import { forgetReplica, noteReplica, selectAgent, selectAgents, updateSaid } from './store.ts'

const lookMs = 60_000
/** Half of what a broker has to stop. */
const drainMs = 10_000
/** A replica says that it runs so often, and is forgotten when it has not for so long. */
const replicaMs = 5_000
const forgottenMs = 20_000
/** Less than a heartbeat may take: an agent that joins or comes back within it is not missed. */
const arrivalMs = 3_000
/** A clock that differs by less more than before is not news. */
const skewStepMs = 1_000

export interface TunnelPlace {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** `host:port` as agents dial it; where it listens when absent. */
  readonly address: string | undefined
}

export interface AgentTunnel {
  /** Where agents dial. */
  readonly url: string
  /** A pipe to the agent of a datacenter; waits a moment for one that has yet to connect. */
  pipe(datacenterId: string): Promise<Duplex>
  /** Whether an agent of the datacenter is connected here. */
  has(datacenterId: string): boolean
  stop(): Promise<void>
}

/** Listens until stopped. The authorities must be there. Rejects when the port is taken. */
export async function openTunnel(kit: Kit, authorities: Authorities, place: TunnelPlace): Promise<AgentTunnel> {
  const { database, clock, random, log } = kit
  const names = [...new Set([hostOf(place.address ?? place.host), place.host, 'localhost', '127.0.0.1', '::1'])]
  const replica = uuid(random)
  const replicas = () => {
    const now = clock.now()
    return noteReplica(database, replica, new Date(now - forgottenMs), new Date(now))
  }
  let own = await authorities.issueDesk(names)
  const server = createTunnelServer({
    clock,
    random,
    log,
    tls: { cert: own.cert, key: own.key, clientCas: await authorities.trusted(database) },
    admit: (peer) => admission(kit, peer),
    limits: { drainMs },
    replica: { id: replica, count: await replicas() },
  })
  const listened = await server.listen({ host: place.host, port: place.port })
  const forgetChange = server.onChange((change) => void noteSaid(kit, change))

  const look = async () => {
    server.setClientCas(await authorities.trusted(database))
    const isFormer = own.issuer !== (await authorities.deskIssuer(database))
    if (isFormer || clock.now() >= renewalAt(own.until.getTime())) {
      own = await authorities.issueDesk(names)
      server.setIdentity(own)
    }
    await dropOthers(kit, server)
  }
  const patiently = (work: () => Promise<void>) => () =>
    work().catch((error) => log.warn({ err: error }, 'the store was not reached for the tunnel; what stands stays'))
  const forgetHint = database.listen('agents', () => void patiently(look)())
  const timers = [
    clock.every(lookMs, patiently(look)),
    clock.every(
      replicaMs,
      patiently(async () => server.setReplicaCount(await replicas())),
    ),
  ]
  return {
    pipe: async (datacenterId) => {
      await arrival(server, clock, datacenterId)
      return server.open(datacenterId)
    },
    has: (datacenterId) => isConnected(server, datacenterId),
    url: place.address === undefined ? listened : `tls://${place.address}`,
    stop: async () => {
      for (const end of timers) end()
      forgetChange()
      await forgetHint()
      await patiently(() => forgetReplica(database, replica))()
      await server.drain()
      await server.close()
    },
  }
}

const isConnected = (server: TunnelServer, datacenterId: string) =>
  server.connections().some((connection) => connection.datacenterId === datacenterId)

/** Resolves once an agent of the datacenter is connected, or after a moment. */
async function arrival(server: TunnelServer, clock: Clock, datacenterId: string): Promise<void> {
  if (isConnected(server, datacenterId)) return
  const came = new AbortController()
  const forget = server.onChange(({ kind, connection }) => {
    if (kind === 'up' && connection.datacenterId === datacenterId) came.abort('came')
  })
  await clock.sleep(arrivalMs, came.signal).catch(() => undefined)
  forget()
}

const hostOf = (address: string) => address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')

/** Only the key that a datacenter's name is bound to speaks for it. */
async function admission({ database }: Kit, peer: PeerCertificateFacts): Promise<Admission> {
  if (peer.organisation !== organisation) return { accepted: false, reason: 'this is not the certificate of an agent' }
  const agent = await selectAgent(database, peer.datacenterId)
  if (agent?.key !== peer.spkiSha256) return { accepted: false, reason: 'another key speaks for this datacenter' }
  if (agent.state === 'withdrawn') return { accepted: false, reason: `${agent.slug} is withdrawn` }
  return { accepted: true }
}

/** Connections of a key that was replaced, of a datacenter that was withdrawn, or whose certificate was not renewed in time. */
async function dropOthers({ database, clock, log }: Kit, server: TunnelServer): Promise<void> {
  const valid = new Map((await selectAgents(database)).map((agent) => [agent.datacenterId, agent]))
  for (const { datacenterId, peer } of server.connections()) {
    const agent = valid.get(datacenterId)
    if (agent?.key === peer.spkiSha256 && agent.untilMs > clock.now()) continue
    log.warn({ datacenter: datacenterId }, 'an agent is no longer that of its datacenter and is cut off')
    server.drop(datacenterId)
  }
}

/** What an agent says of itself is kept where every replica and every reader sees it; told when it is news. */
async function noteSaid(kit: Kit, { kind, connection }: TunnelChange): Promise<void> {
  if (kind === 'down') return
  const { datacenterId, agentVersion: version, clockSkewMs: skewMs } = connection
  try {
    await kit.database.transaction(async (sql) => {
      const agent = await selectAgent(sql, datacenterId)
      if (!agent) return
      const known = agent.version === version && agent.skewMs !== null
      if (known && Math.abs(agent.skewMs - skewMs) < skewStepMs) return
      await updateSaid(sql, datacenterId, { version, skewMs: Math.round(skewMs) }, new Date(kit.clock.now()))
      const subject = { kind: 'datacenter', id: datacenterId }
      const by = { actor: `agent:${datacenterId}`, requestId: null, partyId: agent.operatorId }
      const data = { slug: agent.slug, version, clockSkewMs: Math.round(skewMs) }
      await appendEvents(sql, kit, [{ type: 'agent.described', subject, ...by, data }])
    })
  } catch (error) {
    kit.log.warn({ err: error, datacenter: datacenterId }, 'what an agent said of itself was not kept')
  }
}
