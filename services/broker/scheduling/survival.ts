/** Whether each failure domain could be lost: from the engine's check from scratch, on the leader's picture. */
import { type BrokenPromise, domainsOf } from '../../placement/index.ts'
import { type Amounts, sumOf } from '../../shared/amounts.ts'
import { domainName, type Picture } from './world.ts'

export interface Survival {
  /** `site/<slug>`, or a domain that several sites share. */
  readonly failureDomain: string
  readonly survivable: boolean
  /** What is missing at the standbys when it is lost; amounts as the engine counts. */
  readonly shortfall: Amounts
}

/** One entry for every failure domain that a hosting with fallback depends on. */
export function survivalOf(picture: Picture, promises: readonly BrokenPromise[]): Survival[] {
  const used = new Set<string>()
  for (const { placed } of picture.world.hostings.values()) {
    const state = picture.datacenters.get(placed.primary?.datacenterId ?? '')?.state
    if (state && placed.standby) for (const domain of domainsOf(state)) used.add(domain)
  }
  const broken = Map.groupBy(promises, ({ domain }) => domain ?? '')
  return [...used].sort().map((domain) => {
    const promised = broken.get(domain) ?? []
    return {
      failureDomain: domainName(picture, domain),
      survivable: promised.length === 0,
      shortfall: sumOf(promised.map(({ shortfall }) => shortfall)),
    }
  })
}
