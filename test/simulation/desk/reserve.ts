/**
 * S8, reckoned anew without the engine: what no promise is told to be broken of fits node by node, whichever datacenter is
 * lost. Worlds are small enough to try every way of putting it.
 */
import { Breach } from '../checks.ts'
import type { DeskWorld } from './world.ts'

interface Need extends Record<string, unknown> {
  readonly hosting: string
  readonly role: string
  readonly at: string
  /** Where it runs. */
  readonly home: string
  readonly cpuMillis: number
  readonly isBroken: boolean
}

export async function requireReserve({ inner, datacenters, nodes }: DeskWorld): Promise<void> {
  const needs = await inner.query<Need>(
    `select h.name as hosting, p.role, p.datacenter_id as at, home.datacenter_id as home, h.broken is not null as "isBroken",
       rtrim(h.spec #>> '{components,0,requests,cpu}', 'm')::int as "cpuMillis"
     from placements p join hostings h on h.id = p.hosting_id
       join placements home on home.hosting_id = h.id and home.role = 'primary' and home.wanted = 'present'
     where p.wanted = 'present' and p.role in ('primary', 'standby')`,
  )
  for (const { id } of datacenters) {
    const here = needs.filter(({ at }) => at === id)
    if (here.some(({ isBroken }) => isBroken)) continue
    for (const lost of datacenters) {
      const coming = here.filter(({ role, home }) => role === 'standby' && home === lost.id && lost.id !== id)
      const all = [...here.filter(({ role }) => role === 'primary'), ...coming]
      const sizes = all.map(({ cpuMillis }) => cpuMillis).sort((a, b) => b - a)
      if (!fits(sizes, nodes.get(id) ?? []))
        throw new Breach('S8', `${id} has no room for ${all.map(({ hosting }) => hosting)} when ${lost.id} is lost`)
    }
  }
}

/** Largest first, each on every node where there is room. */
function fits([size, ...more]: readonly number[], free: readonly number[]): boolean {
  if (size === undefined) return true
  return free.some((left, node) => left >= size && fits(more, free.with(node, left - size)))
}
