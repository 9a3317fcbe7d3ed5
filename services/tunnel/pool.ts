/** The connections that stand, by datacenter: which of them takes a new pipe, and what happens when it cannot. */
import type { Duplex } from 'node:stream'
import type { Connection } from './connection.ts'
import { TunnelDown } from './errors.ts'
import type { TunnelChange, TunnelConnection } from './model.ts'

export interface Pool {
  /** Why there is no room for one more of this datacenter; undefined when there is. */
  full(datacenterId: string, agentId: string): string | undefined
  /** Takes in a connection until it closes. An older one of the same agent process is dead, and is destroyed. */
  add(connection: Connection): void
  open(datacenterId: string, signal: AbortSignal): Promise<Duplex>
  of(datacenterId: string): readonly Connection[]
  all(): readonly Connection[]
  onChange(listener: (change: TunnelChange) => void): () => void
}

export function createPool(most: { readonly connections: number; readonly perDatacenter: number }): Pool {
  // The newest first.
  const byDatacenter = new Map<string, readonly Connection[]>()
  const listeners = new Set<(change: TunnelChange) => void>()
  let count = 0
  const of = (datacenterId: string) => byDatacenter.get(datacenterId) ?? []
  const tell = (kind: TunnelChange['kind'], connection: TunnelConnection) => {
    for (const listener of listeners) listener({ kind, connection })
  }
  const remove = (connection: Connection, datacenterId: string) => {
    const left = of(datacenterId).filter((other) => other !== connection)
    if (left.length > 0) byDatacenter.set(datacenterId, left)
    else byDatacenter.delete(datacenterId)
    count -= 1
    tell('down', connection.facts())
  }

  return {
    full(datacenterId, agentId) {
      const others = of(datacenterId).filter((connection) => connection.facts().agentId !== agentId)
      if (others.length >= most.perDatacenter) {
        return `the datacenter has ${others.length} connections, and ${most.perDatacenter} are the most it may have`
      }
      return count >= most.connections ? 'this replica of the desk has all the connections it may have' : undefined
    },
    add(connection) {
      const facts = connection.facts()
      const { datacenterId, agentId } = facts
      const before = of(datacenterId)
      byDatacenter.set(datacenterId, [connection, ...before])
      count += 1
      connection.closed.then(() => remove(connection, datacenterId))
      tell('up', facts)
      // An agent never has two to one replica, but for one that drains; so what still takes pipes here is a dead socket.
      for (const old of before) if (old.facts().agentId === agentId && old.takes()) old.destroy()
    },
    async open(datacenterId, signal) {
      const tried = new Set<Connection>()
      let failure: unknown
      for (;;) {
        const next = of(datacenterId).find((connection) => connection.takes() && !tried.has(connection))
        if (!next) throw failure ?? noneOf(of(datacenterId), datacenterId)
        tried.add(next)
        try {
          return await next.open(signal)
        } catch (error) {
          signal.throwIfAborted()
          // Nothing was sent on it yet, so another connection may be asked.
          failure = error
        }
      }
    },
    of,
    all: () => [...byDatacenter.values()].flat(),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function noneOf(connections: readonly Connection[], datacenterId: string): TunnelDown {
  if (connections.length === 0) return new TunnelDown('absent', `no agent of ${datacenterId} is connected`)
  return new TunnelDown('busy', `no connection of ${datacenterId} takes one more pipe`)
}
