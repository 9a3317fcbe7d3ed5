/** How a hosting would go elsewhere: by which way, after whose word, how long it takes and what may be lost. Pure. */
import type { OperationPlan } from '../../../../schemas/index.ts'
import { type Profile, waitMs } from '../../../fallback/index.ts'
import { type Said, said } from '../../../shared/said.ts'

export interface Place {
  readonly activity: 'exclusive' | 'pinned' | 'shared'
  readonly fourEyes: boolean
  readonly holder: string | null
  readonly holderAnswers: boolean
  readonly standby: string | null
  readonly standbyAnswers: boolean
  /** What the site has to be behind, as far as the mirror tells; undefined when it tells nothing. */
  readonly behind: { readonly sinceMs: number | null; readonly dataMs: number | null } | undefined
}

export type Planned = { readonly ok: true; readonly plan: OperationPlan } | { readonly ok: false; readonly why: Said }

/** A site that answers is stopped first; of one that does not it is waited out, or somebody has to know. */
export function planOf(place: Place, profile: Profile, nowMs: number): Planned {
  const { activity, holder, standby, holderAnswers } = place
  if (activity === 'shared')
    return refused(
      'it may be active in several places, so there is nothing to hand over',
      'het mag op meer plaatsen actief zijn, dus er is niets over te dragen',
    )
  if (holder === null) return refused('it has not been placed', 'het is nog nergens geplaatst')
  if (standby === null || standby === holder)
    return refused('it has no standby to go to', 'er staat geen uitwijk paraat om naartoe te gaan')
  if (!place.standbyAnswers) return refused('its standby does not answer', 'waar het naartoe uitwijkt antwoordt niet')
  const method = holderAnswers ? 'stop' : activity === 'exclusive' ? 'wait' : 'proof'
  return {
    ok: true,
    plan: {
      from: holder,
      to: standby,
      method,
      expectedSeconds: Math.round(expectedMs(method, profile) / 1000),
      confirmationsNeeded: method === 'proof' || place.fourEyes ? 2 : 1,
      warnings: warningsOf(place, method, nowMs),
    },
  }
}

const refused = (en: string, nl: string): Planned => ({ ok: false, why: said(en, nl) })

/** Until the standby may start it; how long it takes to start is the hosting's own. */
function expectedMs(method: OperationPlan['method'], profile: Profile): number {
  if (method === 'stop') return profile.stopMs + profile.renewMs
  return method === 'wait' ? waitMs(profile) + profile.renewMs : profile.renewMs
}

function warningsOf(place: Place, method: OperationPlan['method'], nowMs: number): string[] {
  const { behind } = place
  const warnings: string[] = []
  const seconds = (sinceMs: number) => Math.max(0, Math.round((nowMs - sinceMs) / 1000))
  if (!behind) warnings.push('nothing tells how far the standby is behind: what it lacks is lost')
  else {
    if (behind.sinceMs !== null)
      warnings.push(`the standby lacks what was changed in the last ${seconds(behind.sinceMs)} s`)
    if (behind.dataMs !== null) warnings.push(`the data there is ${seconds(behind.dataMs)} s old`)
  }
  if (method === 'stop') warnings.push('it is stopped before it starts there, and is away meanwhile')
  if (method === 'proof')
    warnings.push('if it still runs where it was, it will be active twice: be sure that it does not')
  return warnings
}

interface Word {
  readonly by: string
  readonly kind: 'agreed' | 'fenced' | 'attested' | 'fence'
}

/**
 * What the words of people come to: the word of so many different ones is enough; one is enough of a fence, unless two are
 * asked. `fence`: what is missing is for the site's fence to prove.
 */
export function verdictOf(
  { method, confirmationsNeeded }: Pick<OperationPlan, 'method' | 'confirmationsNeeded'>,
  confirmations: readonly Word[],
  fourEyes: boolean,
): 'enough' | 'fence' | 'too-few' {
  const people = (words: readonly Word[]) => new Set(words.map(({ by }) => by)).size
  const isFenced = method === 'proof' && !fourEyes && confirmations.some(({ kind }) => kind === 'fenced')
  const known = confirmations.filter(({ kind }) => kind !== 'fence')
  if (people(known) >= (isFenced ? 1 : confirmationsNeeded)) return 'enough'
  const asked = known.length < confirmations.length
  return asked && people(confirmations) >= (fourEyes ? confirmationsNeeded : 1) ? 'fence' : 'too-few'
}
