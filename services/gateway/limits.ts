/** How much one party may ask at a time, so that none takes the gateway from the others. */
import { type Refusal, refusal } from './status.ts'

export interface GatewayLimits {
  /** Requests of a party that are being answered. */
  readonly requests: number
  /** Watches, logs that are followed, and sessions of a party. */
  readonly streams: number
  /** Watches at datacenters that those of a party come to: one for each namespace. */
  readonly followed: number
  /** Bytes of bodies that a party is sending or that wait for their answer. */
  readonly bodyBytes: number
  /** Connections of all clients together. */
  readonly connections: number
}

export const defaultGatewayLimits: GatewayLimits = {
  requests: 200,
  streams: 1_000,
  followed: 5_000,
  bodyBytes: 64 * 2 ** 20,
  connections: 20_000,
}

type Kind = 'requests' | 'streams' | 'followed' | 'bodyBytes'

export interface Turnstile {
  /** Throws 429 when the party has as many as it may; else returns how to leave. */
  enter(partyId: string, kind: Kind, count?: number): () => void
  /** For what comes bit by bit, and leaves together. */
  holder(partyId: string, kind: Kind): Holder
}

export interface Holder {
  /** Throws 429, as `enter` does. */
  add(count: number): void
  leave(): void
}

export function createTurnstile(limits: GatewayLimits): Turnstile {
  const inside: Record<Kind, Map<string, number>> = {
    requests: new Map(),
    streams: new Map(),
    followed: new Map(),
    bodyBytes: new Map(),
  }
  const holder = (partyId: string, kind: Kind): Holder => {
    const counts = inside[kind]
    let held = 0
    return {
      add(count) {
        const before = counts.get(partyId) ?? 0
        if (before + count > limits[kind]) throw tooMany(words[kind], limits[kind])
        counts.set(partyId, before + count)
        held += count
      },
      leave() {
        const left = (counts.get(partyId) ?? held) - held
        held = 0
        if (left === 0) counts.delete(partyId)
        else counts.set(partyId, left)
      },
    }
  }
  return {
    holder,
    enter(partyId, kind, count = 1) {
      const { add, leave } = holder(partyId, kind)
      add(count)
      return leave
    },
  }
}

const words: Record<Kind, string> = {
  requests: 'requests',
  streams: 'watches and sessions',
  followed: 'namespaces followed by watches',
  bodyBytes: 'bytes of bodies',
}

const tooMany = (kind: string, limit: number): Refusal =>
  refusal(429, `your party may have ${limit} ${kind} at a time, and this would be more`, {
    retryAfterSeconds: 1,
  })
