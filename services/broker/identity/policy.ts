/** The one policy: which role may do what, and on whose things. What is not named here is refused. */
import type { Role } from '../../../schemas/index.ts'
import type { Principal } from '../../shared/http/principal.ts'

/** `own`: only things of the caller's party. `any`: everybody's. */
type Reach = 'own' | 'any'

const all: Partial<Record<Role, Reach>> = { provider: 'any', consumer: 'any', loket: 'any', auditor: 'any' }

const policy = {
  'party.create': { loket: 'any' },
  'party.read': all,
  'token.create': { loket: 'any' },
  // Nobody gets by it what he does not have.
  'token.exchange': all,
  'datacenter.create': { provider: 'own', loket: 'any' },
  'datacenter.connect': { provider: 'own', loket: 'any' },
  'datacenter.fence': { provider: 'own', loket: 'any' },
  'datacenter.read': all,
  // What a cluster answers when it fails, and where it is, tells of the inside of its operator's network.
  'connection.read': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
  'inventory.read': { provider: 'own', loket: 'any', auditor: 'any' },
  'capacity.read': all,
  'join-token.create': { provider: 'own', loket: 'any' },
  'enrolment.read': { provider: 'own', loket: 'any', auditor: 'any' },
  'enrolment.approve': { provider: 'own', loket: 'any' },
  'authority.change': { loket: 'any' },
  'offer.create': { provider: 'own', loket: 'any' },
  'offer.read': all,
  'system.create': { consumer: 'own', loket: 'any' },
  'system.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  'hosting.create': { consumer: 'own', loket: 'any' },
  'hosting.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  'hosting.change': { consumer: 'own', loket: 'any' },
  'hosting.end': { consumer: 'own', loket: 'any' },
  'quote.create': { consumer: 'own', loket: 'any' },
  'quote.end': { consumer: 'own', loket: 'any' },
  'quote.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  // A provider plans for its own datacenters, and reads what it planned itself.
  'plan.create': { provider: 'own', loket: 'any' },
  'plan.read': { provider: 'own', loket: 'any', auditor: 'any' },
  'plan.apply': { provider: 'own', loket: 'any' },
  // Who owns a hosting prepares; that it may begin is for the desk to say, which knows of the datacenters.
  'failover.plan': { consumer: 'own', loket: 'any' },
  'failover.confirm': { loket: 'any' },
  'failover.abort': { consumer: 'own', loket: 'any' },
  'datacenter.withdraw': { provider: 'own', loket: 'any' },
  'datacenter.drain': { provider: 'own', loket: 'any' },
  'brake.release': { loket: 'any' },
  'doubt.read': { loket: 'any', auditor: 'any' },
  'datacenter.attest': { loket: 'any' },
  // A hosting is drilled by who owns it, a datacenter by who operates it; a live drill still waits for the word of the desk.
  'drill.run': { provider: 'own', consumer: 'own', loket: 'any' },
  'drill.abort': { provider: 'own', consumer: 'own', loket: 'any' },
  'drill-plan.change': { provider: 'own', consumer: 'own', loket: 'any' },
  'drill.read': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
  'drill.sign': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
  'operation.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  // Other parties' demand is shown only added up, with no party's name.
  'unmet-demand.read': { provider: 'any', consumer: 'own', loket: 'any', auditor: 'any' },
  'event.read': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
} as const satisfies Record<string, Partial<Record<Role, Reach>>>

export type Action = keyof typeof policy

/** Would make what lasts from what does not. */
const lasting: readonly Action[] = ['token.create', 'token.exchange']

export const actions = Object.keys(policy) as Action[]

/** How far the caller's role reaches for an action; undefined: not at all. */
export function reachOf(principal: Principal, action: Action): Reach | undefined {
  return (policy[action] as Partial<Record<Role, Reach>>)[principal.role]
}

/** Whether the caller's token lasts long enough for an action. */
export function lastsFor({ shortLived }: Principal, action: Action): boolean {
  return !shortLived || !lasting.includes(action)
}

/** Whether the caller may do `action` to something that belongs to `ownerId`. */
export function mayTouch(principal: Principal, action: Action, ownerId: string): boolean {
  const reach = reachOf(principal, action)
  return reach === 'any' || (reach === 'own' && principal.partyId === ownerId)
}

/** The roles that may do `action`, for the message of a refusal. */
export function rolesFor(action: Action): string[] {
  return Object.keys(policy[action])
}
