/** What is known of an operation of the contract, and who may do what. */
import type { Role } from '../../../schemas/index.ts'
import type { World } from './world.ts'

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Relative to /api/v1; `id` is what stands for `{id}`. */
  readonly path: (world: World) => string
  readonly body?: (world: World) => object
  /** Who makes the call that succeeds. */
  readonly as: Role
  /** Every role that may; `public` needs no credential at all. */
  readonly roles: readonly Role[] | 'public'
  readonly status: number
  /** What another party with the same role is told about the same thing; undefined where nothing belongs to a party. */
  readonly stranger?: 400 | 403 | 404
  /** The types of the events that tell of it. */
  readonly events?: readonly string[]
  /** The answer tells where the new thing can be read. */
  readonly located?: true
}

export const everybody = ['provider', 'consumer', 'loket', 'auditor'] as const
export const providers = ['provider', 'loket'] as const
export const consumers = ['consumer', 'loket'] as const
export const planners = ['provider', 'loket', 'auditor'] as const
export const drillers = ['provider', 'consumer', 'loket'] as const
export const readers = ['consumer', 'loket', 'auditor'] as const

type Kind = 'datacenters' | 'systems' | 'quotes' | 'plans' | 'hostings'

export function at(kind: Kind, rest = ''): (world: World) => string {
  return (world) => {
    const ids = {
      datacenters: world.datacenterId,
      systems: world.systemId,
      quotes: world.quoteId,
      plans: world.planId,
      hostings: world.hostingId,
    }
    return `${kind}/${ids[kind]}${rest}`
  }
}
