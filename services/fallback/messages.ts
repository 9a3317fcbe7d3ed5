/** What desk, sites, peers and guards say to each other. Every one of them may be lost, late, doubled or out of order. */
import type { Epoch } from './epoch.ts'

export type HostingId = string
export type DatacenterId = string
export type NodeId = string

/**
 * `exclusive`: never active twice, stops when it cannot prove its lease. `pinned`: never active twice, runs on without a lease
 * and moves only on proof that its holder is off. `shared` needs no lease and is not spoken of here.
 */
export type ActivityClass = 'exclusive' | 'pinned'

/** The only datacenters that may be given a hosting's next epoch on the strength of a wait alone. */
export interface PeerList {
  readonly version: number
  readonly members: readonly DatacenterId[]
}

export interface Held {
  readonly hosting: HostingId
  readonly epoch: Epoch
  /** Its lease holds as this is sent. */
  readonly active: boolean
  /** The newest list that the holder goes by; 0: none. */
  readonly listVersion: number
}

export interface Lease {
  readonly hosting: HostingId
  readonly epoch: Epoch
  readonly activity: ActivityClass
  readonly leaseMs: number
  /** One, or two while the list is being changed: the holder needs the promise of every member of either. */
  readonly lists: readonly PeerList[]
}

export interface Over {
  readonly hosting: HostingId
  /** This epoch and all before it. */
  readonly epoch: Epoch
}

export interface Seen {
  readonly hosting: HostingId
  /** The highest epoch that was told to this site. */
  readonly highest: Epoch
  /** What it runs, which may be an earlier one. */
  readonly running?: Epoch
}

/** A site says. `incarnation` tells one life of the agent from the next. */
export type FromSite =
  | { kind: 'renew'; incarnation: number; seq: number; clockMs: number; holds: readonly Held[] }
  | { kind: 'accepted'; hosting: HostingId; epoch: Epoch }
  | {
      kind: 'refused'
      hosting: HostingId
      epoch: Epoch
      reason: 'promised' | 'later-epoch'
      remainingMs: number
      highest: Epoch
    }
  | { kind: 'unable'; hosting: HostingId; epoch: Epoch }
  | { kind: 'stopped'; hosting: HostingId; epoch: Epoch }
  | { kind: 'seen'; generation: number; seen: readonly Seen[] }

/** The desk says. */
export type FromDesk =
  | { kind: 'renewed'; incarnation: number; seq: number; leases: readonly Lease[]; lost: readonly Over[] }
  | { kind: 'activate'; hosting: HostingId; epoch: Epoch; activity: ActivityClass }
  | { kind: 'deactivate'; hosting: HostingId; epoch: Epoch }
  /** No order: only who has ended it answers. */
  | { kind: 'ask-stopped'; hosting: HostingId; epoch: Epoch }
  | { kind: 'ask-seen'; generation: number }

/** Sites among each other, when the desk is silent. */
export type BetweenSites =
  | { kind: 'hold'; hosting: HostingId; epoch: Epoch; incarnation: number; seq: number }
  | { kind: 'promised'; hosting: HostingId; epoch: Epoch; incarnation: number; seq: number }
  | { kind: 'hold-refused'; hosting: HostingId; epoch: Epoch; highest: Epoch }

export interface NodeGrant {
  readonly hosting: HostingId
  readonly epoch: Epoch
  readonly activity: ActivityClass
  /** Of the lease, when the answer was made. */
  readonly remainingMs: number
}

/** A guard asks, saying what is on its node; its agent answers. `agent` is the incarnation it last heard, 0: none. */
export interface GuardAsk {
  readonly kind: 'ask'
  readonly node: NodeId
  readonly seq: number
  readonly agent: number
  /** Hostings of which it has a container or a grant. */
  readonly present: readonly HostingId[]
}

export interface GuardAnswer {
  readonly kind: 'grants'
  readonly node: NodeId
  readonly seq: number
  readonly agent: number
  readonly grants: readonly NodeGrant[]
  /** To be stopped by explicit order, whatever the class. */
  readonly over: readonly HostingId[]
}
