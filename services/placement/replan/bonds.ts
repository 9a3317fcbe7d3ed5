/** Bonds between hostings that a move must keep: who runs together moves together, who is kept apart stays apart. */
import type { HostingDemand, PlacedHosting } from '../model.ts'
import type { World } from '../snapshot.ts'
import { isAt, type Scene } from './draft.ts'

export interface Bonds {
  /** Hosting id → all that move with it, itself among them, by id. */
  readonly units: ReadonlyMap<string, readonly string[]>
  /** Hosting id → those that ask to be kept apart from it. */
  readonly shunnedBy: ReadonlyMap<string, readonly string[]>
}

export function bondsOf({ before }: Scene): Bonds {
  const units = new Map<string, string[]>()
  const shunnedBy = new Map<string, string[]>()
  for (const id of before.keys()) units.set(id, [id])
  for (const [id, { demand }] of before) {
    for (const other of demand.constraints.together ?? []) join(units, id, other)
    for (const other of demand.constraints.apart ?? []) shunnedBy.set(other, [...(shunnedBy.get(other) ?? []), id])
  }
  for (const unit of new Set(units.values())) unit.sort()
  return { units, shunnedBy }
}

function join(units: Map<string, string[]>, a: string, b: string): void {
  const [x, y] = [units.get(a), units.get(b)]
  if (!x || !y || x === y) return
  x.push(...y)
  for (const id of y) units.set(id, x)
}

/** The demand without the bonds inside its own unit, which moves as one. */
export function outward(demand: HostingDemand, unit: readonly string[]): HostingDemand {
  const { together } = demand.constraints
  if (!together || unit.length === 1) return demand
  const others = together.filter((id) => !unit.includes(id))
  return { ...demand, constraints: { ...demand.constraints, together: others } }
}

/** Whether those that are to be kept apart from it are elsewhere. What it asks itself, the engine's rules look at. */
export function isShunned(world: World, bonds: Bonds, { demand, primary, standby }: PlacedHosting): boolean {
  const here = new Set([primary, standby].flatMap((seat) => (seat ? [seat.datacenterId] : [])))
  return (bonds.shunnedBy.get(demand.id) ?? []).some((id) => {
    const other = world.hostings.get(id)?.placed
    return other !== undefined && isAt(other, here)
  })
}
