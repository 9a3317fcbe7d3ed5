/** What the desk keeps of one hosting: who holds it, what was offered, and why the holder's right has ended. */
import type { Epoch } from '../epoch.ts'
import type { ActivityClass, DatacenterId, HostingId, PeerList } from '../messages.ts'

/**
 * Why nothing of the current epoch can be running any more. `sealed`: the wait has passed and a peer without whose promise
 * the holder could not have run on has seen a later epoch; or, after a restored store, every site has said that it does not
 * run it or is known to be off.
 */
export type Witness = 'stopped' | 'fenced' | 'attested' | 'sealed'

export interface Saga {
  readonly id: string
  readonly kind: 'failover' | 'move'
  /** The row's epoch when it began. */
  readonly since: Epoch
  /** Where a person wants it; the engine chooses when absent. */
  readonly target?: DatacenterId
}

export interface Row {
  readonly hosting: HostingId
  readonly activity: ActivityClass
  /** With `confirm` a person has to say so first. */
  readonly policy: 'automatic' | 'confirm'
  readonly epoch: Epoch
  readonly holder: DatacenterId
  /** The highest that was ever offered; the next one is after it. */
  readonly highest: Epoch
  readonly peers: PeerList
  /** On its way to the holder; until that says that it goes by it, only members of both lists may be given the next epoch. */
  readonly nextPeers?: PeerList
  readonly offer?: { readonly epoch: Epoch; readonly target: DatacenterId }
  readonly over?: Witness
  readonly saga?: Saga
  /** Sites that held it and have not yet said that nothing of it is left; their claims stand until then. */
  readonly leftovers: readonly { readonly datacenter: DatacenterId; readonly upTo: Epoch }[]
  /** The store was restored: this row may be old, so nothing is offered until it has been found out. */
  readonly amnesia: boolean
}

/** It has never been granted to anybody. */
export const isUnstarted = ({ epoch }: Row): boolean => epoch.counter === 0

/** Who may be given the next epoch on the strength of the wait: the holder cannot run on without any one of these. */
export function waitTargets({ peers, nextPeers, holder }: Row): DatacenterId[] {
  const members = nextPeers ? peers.members.filter((id) => nextPeers.members.includes(id)) : peers.members
  return members.filter((id) => id !== holder)
}
