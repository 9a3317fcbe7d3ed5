/** What the two ends of the tunnel take and tell: facts of the peer, the verdict on it, limits, what is connected. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'

/** Read from the client certificate that TLS has verified, and from nothing else. */
export interface PeerCertificateFacts {
  /** The certificate's only common name. */
  readonly datacenterId: string
  /** Its only organisation; empty when it names none. */
  readonly organisation: string
  /** SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal in lower case. */
  readonly spkiSha256: string
  /** Hexadecimal in lower case. */
  readonly serialNumber: string
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** Where the connection comes from; for the log. */
  readonly address: string
}

/** `reason` is told to the agent, which logs it. */
export type Admission = { readonly accepted: true } | { readonly accepted: false; readonly reason: string }

export interface TunnelConnection {
  readonly datacenterId: string
  readonly connectionId: string
  /** Milliseconds since the Unix epoch. */
  readonly since: number
  /** Pipes open now. */
  readonly streams: number
  /** The agent's clock minus ours, within half of the round trip that measured it. */
  readonly clockSkewMs: number
  readonly agentVersion: string
  /** The agent process; one that restarts has another. */
  readonly agentId: string
  readonly peer: PeerCertificateFacts
}

export interface TunnelLimits {
  /** For TCP, TLS, admission and hello together. */
  readonly handshakeMs: number
  /** Connections that are not through that yet. */
  readonly handshakes: number
  readonly helloBytes: number
  /** Of all datacenters together. */
  readonly connections: number
  readonly connectionsPerDatacenter: number
  readonly streamsPerConnection: number
  /** What a peer may send on one pipe before its reader has taken it; so also what a stalled pipe holds at most. */
  readonly streamWindowBytes: number
  /** What may be under way on all pipes of a connection. A stalled pipe takes nothing from it. */
  readonly sessionWindowBytes: number
  /** For the agent's answer to a new pipe. */
  readonly openMs: number
  /** A ping is sent so long after the last one was answered, */
  readonly pingMs: number
  /** and must be answered, or any byte come, within this: a silent peer is found within the sum. */
  readonly pongMs: number
  /** What is under way when a connection is drained has so long to finish. */
  readonly drainMs: number
  /** A connection that is lost sooner counts as a failed attempt. */
  readonly steadyMs: number
}

export const defaultTunnelLimits: TunnelLimits = {
  handshakeMs: 10_000,
  handshakes: 256,
  helloBytes: 4_096,
  connections: 4_096,
  connectionsPerDatacenter: 8,
  streamsPerConnection: 1_000,
  streamWindowBytes: 256 * 1024,
  sessionWindowBytes: 16 * 1024 * 1024,
  openMs: 10_000,
  pingMs: 10_000,
  pongMs: 5_000,
  drainMs: 30_000,
  steadyMs: 60_000,
}

/** What both ends are handed. */
export interface TunnelKit {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface TunnelServerOptions extends TunnelKit {
  /** In PEM. `clientCas` signed the certificates of agents. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCas: readonly string[] }
  admit(peer: PeerCertificateFacts): Promise<Admission>
  /** This replica of the desk, and how many there are; one of its own when absent. */
  readonly replica?: { readonly id: string; readonly count: number }
  readonly limits?: Partial<TunnelLimits>
}

export interface TunnelServer {
  /** Resolves with the address that agents dial, `tls://host:port`. */
  listen(where: { readonly host: string; readonly port: number }): Promise<string>
  /** The CAs of handshakes from now on; connections that stand, stay. */
  setClientCas(pems: readonly string[]): void
  /** Our own certificate and key of handshakes from now on. */
  setIdentity(identity: TunnelIdentity): void
  /** Told to every agent, so that each connects to every replica. */
  setReplicaCount(count: number): void
  /** A byte pipe to an agent of the datacenter. Rejects with `TunnelDown`, or with the signal's reason. */
  open(datacenterId: string, signal?: AbortSignal): Promise<Duplex>
  connections(): readonly TunnelConnection[]
  /** Called after each connection that came or went. Returns what ends it. */
  onChange(listener: (change: TunnelChange) => void): () => void
  /** Ends the datacenter's connections at once, with what is under way. */
  drop(datacenterId: string): void
  /** Takes nothing new, lets what is under way finish within `drainMs`, then closes. */
  drain(): Promise<void>
  close(): Promise<void>
}

export interface TunnelChange {
  readonly kind: 'up' | 'down'
  readonly connection: TunnelConnection
}

/** In PEM; `cert` may be a chain, the own certificate first. */
export interface TunnelIdentity {
  readonly cert: string
  readonly key: string
}

export interface TunnelState {
  /** Replicas of the desk that there are, as far as is known. */
  readonly replicas: number
  readonly connected: readonly { readonly replica: string; readonly server: string; readonly since: number }[]
  /** Why the last attempt failed; undefined since the last that succeeded. */
  readonly problem: string | undefined
}

export interface TunnelAgentOptions extends TunnelKit {
  /** `tls://host:port`, tried in turn. */
  readonly servers: readonly string[]
  /** Asked at each attempt, so that a renewed certificate is taken up. */
  identity(): TunnelIdentity
  /** Who may have signed the certificate of the desk, in PEM; asked at each attempt. */
  ca(): readonly string[]
  /** Given each pipe that the desk opens, for example to `server.emit('connection', pipe)` of an `http.Server`. */
  serve(pipe: Duplex): void
  /** Of the agent's software; for people. */
  readonly version: string
  /** The agent drains and the promise resolves when it aborts. */
  readonly signal: AbortSignal
  onState?(state: TunnelState): void
  /** Of the protocol, when it is to be another than ours; for tests. */
  readonly protocol?: string
  readonly limits?: Partial<TunnelLimits>
}
