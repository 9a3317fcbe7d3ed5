/** The datacenters as the gateway reaches them: one set of kept connections each, renewed when its connection is. */
import type { Agent as HttpAgent } from 'node:http'
import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import type { Database } from '../shared/db/database.ts'
import { createPipeAgent, oneServer } from '../shared/http/pipe-agent.ts'
import {
  type AddressGuard,
  type Connection,
  createAddressGuard,
  type EndpointPolicy,
  guardedLookup,
  hostOf,
  hostRefusal,
} from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Secrets } from '../shared/secrets.ts'
import { type ConnectionRow, selectConnections } from './store.ts'

/** How one datacenter is spoken to: HTTP/1.1 over connections that an agent of Node.js opens. */
export interface Member {
  readonly datacenterId: string
  readonly slug: string
  readonly base: URL
  /** Its owner lets tenants look at its nodes. */
  readonly nodesVisible: boolean
  /** For calls, which share connections, and for streams, of which each has its own. */
  readonly calls: HttpAgent
  readonly streams: HttpAgent
  /** Ours there; it may act for tenants. */
  readonly authorization: string | undefined
}

export interface Members {
  /** Those that can be had; one without a connection is left out. */
  of(datacenterIds: readonly string[]): Promise<ReadonlyMap<string, Member>>
  close(): void
}

const connectionsPerMember = 128
/** As many may wait as may work: with fewer, each request above that would open a connection and end it. */
const keptConnections = {
  keepAlive: true,
  maxSockets: connectionsPerMember,
  maxFreeSockets: connectionsPerMember,
  timeout: 60_000,
} as const
const believedMs = 1_000
/** From this age on they are looked up anew while they are still believed. */
const aheadMs = 500

export interface MembersOptions extends EndpointPolicy {
  readonly secrets: Secrets
  readonly monotonic: () => number
  readonly log: Logger
  /** To the agent of a datacenter that has one, which adds its own credential; none is reached so when absent. */
  readonly pipe?: ((datacenterId: string) => Promise<Duplex>) | undefined
}

export function createMembers(database: Database, options: MembersOptions): Members {
  const guard = createAddressGuard(options)
  const kept = new Map<string, { version: number; member: Member; at: number }>()
  const reading = new Map<string, Promise<void>>()
  // Streams under way end by themselves: the old connection may be as good as the new.
  const end = ({ calls }: Member) => calls.destroy()

  /** One that cannot be opened is as one without a connection: the others are worked at meanwhile. */
  const opened = (row: ConnectionRow): Member | undefined => {
    try {
      return open(row, options, guard)
    } catch (error) {
      options.log.warn({ datacenter: row.slug, err: error }, 'a datacenter cannot be reached by the gateway')
      return undefined
    }
  }

  const refresh = async (ids: readonly string[]) => {
    const rows = await selectConnections(database, ids)
    const found = new Map(rows.map((row) => [row.datacenterId, row]))
    for (const id of ids) {
      const before = kept.get(id)
      const row = found.get(id)
      if (before && before.version === row?.version && before.member.nodesVisible === row.nodesVisible) {
        before.at = options.monotonic()
        continue
      }
      if (before) end(before.member)
      kept.delete(id)
      const member = row && opened(row)
      if (row && member) kept.set(id, { version: row.version, member, at: options.monotonic() })
    }
  }

  /** Those that are being looked up already are waited for. */
  const lookUp = async (ids: readonly string[]) => {
    const others = ids.filter((id) => !reading.has(id))
    if (others.length > 0) {
      const work = refresh(others).finally(() => {
        for (const id of others) reading.delete(id)
      })
      for (const id of others) reading.set(id, work)
    }
    await Promise.all(ids.map((id) => reading.get(id)))
  }
  const olderThan = (ids: readonly string[], ms: number) => {
    const before = options.monotonic() - ms
    return ids.filter((id) => (kept.get(id)?.at ?? Number.NEGATIVE_INFINITY) < before)
  }

  return {
    async of(datacenterIds) {
      const stale = olderThan(datacenterIds, believedMs)
      if (stale.length > 0) await lookUp(stale)
      const soon = olderThan(datacenterIds, aheadMs).filter((id) => kept.has(id) && !reading.has(id))
      if (soon.length > 0)
        lookUp(soon).catch((error: Error) => options.log.warn({ err: error }, 'connections could not be looked up'))
      const members = datacenterIds.flatMap((id) => kept.get(id)?.member ?? [])
      return new Map(members.map((member) => [member.datacenterId, member]))
    },
    close() {
      for (const { member } of kept.values()) {
        member.calls.destroy()
        member.streams.destroy()
      }
    },
  }
}

function open(row: ConnectionRow, { secrets, pipe }: MembersOptions, guard: AddressGuard): Member {
  const { datacenterId, slug, sealed, nodesVisible } = row
  if (row.kind === 'agent') {
    if (!pipe) throw new Error(`${slug} is reached by its agent, and this gateway has no tunnel`)
    const way = () => pipe(datacenterId)
    return {
      datacenterId,
      slug,
      nodesVisible,
      base: new URL('http://cluster.invalid'),
      calls: createPipeAgent(way, keptConnections),
      streams: createPipeAgent(way, { keepAlive: false }),
      authorization: undefined,
    }
  }
  const connection = JSON.parse(secrets.open(sealed, datacenterId)) as Connection
  const base = new URL(connection.server)
  const refused = hostRefusal(hostOf(base), guard)
  if (refused) throw new Error(`${slug} has an address that is not connected to: ${refused}`)
  const pem = (data: string) => Buffer.from(data, 'base64')
  const secureContext = createSecureContext({
    ca: pem(connection.caData),
    minVersion: 'TLSv1.2',
    ...('certData' in connection && { cert: pem(connection.certData), key: pem(connection.keyData) }),
  })
  const shared = { secureContext, rejectUnauthorized: true, lookup: guardedLookup(guard), noDelay: true } as const
  return {
    datacenterId,
    slug,
    nodesVisible,
    base,
    calls: oneServer(new Agent({ ...shared, ...keptConnections })),
    streams: oneServer(new Agent({ ...shared, keepAlive: false })),
    authorization: 'token' in connection ? `Bearer ${connection.token}` : undefined,
  }
}
