/** Failure domains: what goes down together. */
import type { DatacenterState } from './model.ts'

/** Kinds of failure domain that are known from elsewhere, so that nobody declares them. */
export const derivedKinds: readonly string[] = ['site']

/**
 * The domains that take a datacenter down: the site itself and what it shares with others, such as `grid/tennet-west`.
 */
export function domainsOf({ id, failureDomains }: Pick<DatacenterState, 'id' | 'failureDomains'>): readonly string[] {
  return [`site/${id}`, ...new Set(failureDomains)]
}

/** The first domain of one of these kinds that both lie in; a kind is the part before `/`. */
export function sharedDomain(a: readonly string[], b: readonly string[], kinds: readonly string[]): string | undefined {
  return a.find((domain) => b.includes(domain) && kinds.includes(kindOf(domain)))
}

/** The part before `/`. */
export function kindOf(domain: string): string {
  return domain.slice(0, Math.max(0, domain.indexOf('/')))
}
