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
  'datacenter.create': { provider: 'own', loket: 'any' },
  'datacenter.connect': { provider: 'own', loket: 'any' },
  'datacenter.read': all,
  // What a cluster answers when it fails, and where it is, tells of the inside of its operator's network.
  'connection.read': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
  'inventory.read': { provider: 'own', loket: 'any', auditor: 'any' },
  'capacity.read': all,
  'offer.create': { provider: 'own', loket: 'any' },
  'offer.read': all,
  'system.create': { consumer: 'own', loket: 'any' },
  'system.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  'hosting.create': { consumer: 'own', loket: 'any' },
  'hosting.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  'hosting.end': { consumer: 'own', loket: 'any' },
  'quote.create': { consumer: 'own', loket: 'any' },
  'quote.end': { consumer: 'own', loket: 'any' },
  'quote.read': { consumer: 'own', loket: 'any', auditor: 'any' },
  // Other parties' demand is shown only added up, with no party's name.
  'unmet-demand.read': { provider: 'any', consumer: 'own', loket: 'any', auditor: 'any' },
  'event.read': { provider: 'own', consumer: 'own', loket: 'any', auditor: 'any' },
} as const satisfies Record<string, Partial<Record<Role, Reach>>>

export type Action = keyof typeof policy

export const actions = Object.keys(policy) as Action[]

/** How far the caller's role reaches for an action; undefined: not at all. */
export function reachOf(principal: Principal, action: Action): Reach | undefined {
  return (policy[action] as Partial<Record<Role, Reach>>)[principal.role]
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
