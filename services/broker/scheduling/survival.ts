/** Whether each failure domain could be lost: from the engine's check from scratch, on the leader's picture. */
import { domainsOf, overcommit, type Violation } from '../../placement/index.ts'
import { type Amounts, sumOf } from '../../shared/amounts.ts'
import type { Picture } from './world.ts'

export interface Survival {
  /** `site/<slug>`, or a domain that several sites share. */
  readonly failureDomain: string
  readonly survivable: boolean
  /** What is missing at the standbys when it is lost; amounts as the engine counts. */
  readonly shortfall: Amounts
}

/** One entry for every failure domain that a hosting with fallback depends on. */
export function survivalOf(picture: Picture): Survival[] {
  const nameOf = (domain: string) => {
    const site = /^site\/(.+)$/.exec(domain)?.[1]
    return site === undefined ? domain : `site/${picture.datacenters.get(site)?.state.slug ?? site}`
  }
  const used = new Set<string>()
  for (const { placed } of picture.world.hostings.values()) {
    const state = picture.datacenters.get(placed.primary?.datacenterId ?? '')?.state
    if (state && placed.standby) for (const domain of domainsOf(state)) used.add(domain)
  }
  const broken = Map.groupBy(overcommit(picture.world), (violation) => violation.domain ?? '')
  return [...used].sort().map((domain) => {
    const violations = broken.get(domain) ?? []
    return { failureDomain: nameOf(domain), survivable: violations.length === 0, shortfall: shortfallOf(violations) }
  })
}

function shortfallOf(violations: readonly Violation[]): Amounts {
  return sumOf(
    violations.flatMap(({ resource, taken, available }) =>
      resource !== undefined && taken !== undefined && available !== undefined
        ? [Object.fromEntries([[resource, taken - available]])]
        : [],
    ),
  )
}
