/** The engine's vocabulary: plain data in, plain data out. Amounts are integers: millicores, bytes, pieces. */

/**
 * Amount per resource. Keys: `cpu` (millicores), `memory`, `ephemeral-storage` and `storage/<class>` (bytes), `pods`
 * and extended resources such as `nvidia.com/gpu` (pieces). In a demand or a free vector a missing key is zero; in an
 * offer a missing key is *not offered*, and `Infinity` is unlimited. Unknown is never a number: see
 * `DatacenterState.observedAt`.
 */
export type Amounts = Readonly<Record<string, number>>

/** Half-open [start, end) in epoch milliseconds; `Infinity` is an open end. */
export interface Period {
  readonly start: number
  readonly end: number
}

export interface NodeState {
  readonly name: string
  readonly zone?: string
  /** Allocatable minus what others than us request there. */
  readonly free: Amounts
  readonly schedulable: boolean
}

export type OfferQuality = 'guaranteed' | 'revocable' | 'opportunistic'

export interface OfferState {
  readonly id: string
  readonly amounts: Amounts
  readonly period: Period
  readonly quality: OfferQuality
  /** Micro-euro per unit and month: per core, per GiB, per piece. */
  readonly tariff: Readonly<Record<string, number>>
}

export interface StorageClassState {
  readonly name: string
  readonly readWriteMany: boolean
  /** On the disks of the nodes: what a component asks per replica is taken from the node that carries it. */
  readonly nodeLocal?: boolean
}

/** Availability, integrity, confidentiality (BIV): 1 low, 2 middle, 3 high. */
export interface SecurityClasses {
  readonly availability: number
  readonly integrity: number
  readonly confidentiality: number
}

export interface DatacenterState {
  readonly id: string
  readonly slug: string
  readonly operatorId: string
  readonly region: string
  readonly latitude: number
  readonly longitude: number
  /** Failure domains beyond the datacenter itself, for example `grid/tennet-west`. */
  readonly failureDomains: readonly string[]
  readonly classes: SecurityClasses
  /** Evidence by kind, for example `iso27001`, with the instant it expires. */
  readonly evidence: Readonly<Record<string, number>>
  readonly capabilities: readonly string[]
  /** Power usage effectiveness times 100, 100 and up; `undefined` when not told. */
  readonly puePercent?: number
  readonly storageClasses: readonly StorageClassState[]
  readonly nodes: readonly NodeState[]
  readonly offers: readonly OfferState[]
  /** When the inventory was seen; `undefined`: never, so nothing can be promised. */
  readonly observedAt: number | undefined
  /** Accepts new hostings (state active, contact reachable). The reason is shown when it does not. */
  readonly closedBecause?: string
}

export interface ComponentDemand {
  readonly name: string
  readonly replicas: number
  /** Fewer will do, down to this, where there is no room for all; see `scheduleElastic`. Not given: all or nothing. */
  readonly minReplicas?: number
  /** Per replica; `storage/<class>` per replica too. */
  readonly requests: Amounts
  readonly onePerNode: boolean
  /** No two in one zone; nodes without a zone are left out. */
  readonly onePerZone?: boolean
}

export interface VolumeDemand {
  readonly storageClass: string
  readonly bytes: number
  readonly readWriteMany: boolean
}

export interface Constraints {
  readonly regions?: readonly string[]
  readonly regionsNot?: readonly string[]
  readonly operatorsNot?: readonly string[]
  readonly classes?: SecurityClasses
  readonly evidence?: readonly string[]
  readonly capabilities?: readonly string[]
  readonly maxDistance?: { readonly latitude: number; readonly longitude: number; readonly km: number }
  /** Euro cents per month over all of the hosting. */
  readonly maxPriceCents?: number
  readonly datacentersNot?: readonly string[]
  /** Ids of hostings whose primary's datacenter the primary shares; one that is not placed bars every datacenter. */
  readonly together?: readonly string[]
  /** Ids of hostings of which neither seat is where this one has a seat. */
  readonly apart?: readonly string[]
  /** How much each term of the score counts, in percent; 100 where not named, `energy` 0. */
  readonly weights?: Readonly<Partial<Record<ScoreTermName, number>>>
}

export type ScoreTermName = 'price' | 'balance' | 'distance' | 'energy' | 'shared-reserve'

export interface FallbackDemand {
  /** Of the standby runs: nothing (`cold`, the reserve is shared), a few replicas (`warm`, the rest is shared), all (`hot`). */
  readonly mode: 'none' | 'cold' | 'warm' | 'hot'
  /** Replicas of each component that a warm standby runs; 1 where not given, never more than the component has. */
  readonly warmReplicas?: number
  readonly minDistanceKm?: number
  /**
   * Kinds of failure domain (the part before `/`) that must differ between primary and standby, beside the site
   * itself.
   */
  readonly differ?: readonly string[]
}

export interface HostingDemand {
  readonly id: string
  readonly partyId: string
  readonly components: readonly ComponentDemand[]
  readonly volumes: readonly VolumeDemand[]
  readonly constraints: Constraints
  readonly fallback: FallbackDemand
  readonly period: Period
  /** Higher goes first; 0 where not given. */
  readonly priority?: number
  /** Sold as such: it gives way to a hosting of higher priority that finds no place otherwise. */
  readonly preemptible?: boolean
}

/** Which node carries how many replicas of which component: the proof that the sum really fits. */
export type Witness = readonly { readonly component: string; readonly node: string; readonly replicas: number }[]

/** What a hosting takes at one datacenter, and on which nodes. */
export interface Seat {
  readonly datacenterId: string
  readonly witness: Witness
}

/**
 * A hosting as it stands: what counts as taken, whatever is measured. It has at least one of both seats: each is
 * released by itself, when its absence is confirmed, so a standby may outlive its primary.
 */
export interface PlacedHosting {
  readonly demand: HostingDemand
  readonly primary?: Seat
  /** `domains`: what it stands by for, where the primary's datacenter cannot tell. */
  readonly standby?: Seat & { readonly domains?: readonly string[] }
}

export interface Snapshot {
  readonly datacenters: readonly DatacenterState[]
  readonly hostings: readonly PlacedHosting[]
}

/** The first rule a datacenter failed, with the figures: one per refused datacenter and role. */
export interface Refusal {
  readonly datacenterId: string
  readonly role: 'primary' | 'standby'
  /** Closed set, see `explain.ts`: for example `region`, `evidence`, `offer-short`, `node-fit`, `failure-domain`. */
  readonly rule: string
  readonly resource?: string
  readonly asked?: number | string
  readonly available?: number | string
  readonly missing?: number
  /** Age of the inventory the figure rests on. */
  readonly ageSeconds?: number
  /** The component whose replicas find no node. */
  readonly component?: string
  /** Of a warm standby, what it is that is short: what runs there, or what is reserved there for when it takes over. */
  readonly part?: 'running' | 'reserved'
  /** The first instant at which it is short, epoch milliseconds. */
  readonly at?: number
}

/** What holds now and deserves attention later. */
export interface Note {
  readonly datacenterId: string
  /**
   * `evidence-expires`: evidence that an open-ended hosting asks for is in force, until `until` (epoch milliseconds).
   */
  readonly note: 'evidence-expires'
  readonly subject: string
  readonly until: number
}

export interface ScoreTerm {
  readonly term: string
  readonly value: number
}

export interface Candidate {
  /** `offerId`: the offer whose tariff the price is from. */
  readonly primary: {
    readonly datacenterId: string
    readonly witness: Witness
    readonly score: readonly ScoreTerm[]
    readonly offerId: string
    /** As in `Room`: what stays free, per mille. */
    readonly headroom?: number
    /** From where the distance is asked, when it is. */
    readonly distanceKm?: number
  }
  readonly standby?: { readonly datacenterId: string; readonly witness: Witness; readonly score: readonly ScoreTerm[] }
  readonly priceCentsPerMonth: number
  readonly notes: readonly Note[]
}

export type Decision =
  | {
      readonly outcome: 'placed'
      readonly chosen: Candidate
      readonly alternatives: readonly Candidate[]
      readonly refusals: readonly Refusal[]
      /**
       * Datacenters that pass every rule for a primary that was looked at, but score less than those that were tried.
       */
      readonly passedOver: readonly string[]
    }
  | {
      readonly outcome: 'unschedulable'
      readonly summary: string
      readonly refusals: readonly Refusal[]
      /** The refusal that lacks least in proportion to what was asked. */
      readonly nearestMiss?: Refusal
    }
