/** What the desk says first on a channel to a site, and again when any of it changes. */
import type { DatacenterId } from '../messages.ts'
import type { Profile } from '../timers.ts'

export interface Hello {
  readonly kind: 'hello'
  /** Of the desk's leader: a site listens to the highest that it has heard. */
  readonly term: number
  /** Whom the desk takes the site for. */
  readonly datacenter: DatacenterId
  readonly profile: Profile
  /** `host:port` at which peers answer each other; those that do not are absent. */
  readonly peers: Readonly<Record<DatacenterId, string>>
  readonly self: {
    /** What the site can enforce: 0 nothing, 1 by its agent, 2 by a guard on every node, 3 from outside too. */
    readonly level: number
  }
}

/** What a site says of itself, after each hello and when it changes. */
export interface About {
  readonly kind: 'about'
  /** `host:port` by which its peers reach it; absent when they do not. */
  readonly peer?: string
  /** How long the last stop of a hosting took, from the order or deadline until it was proven gone. */
  readonly stopMs?: number
}
