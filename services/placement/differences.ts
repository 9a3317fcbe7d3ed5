/** How another place differs from the one that was chosen, in figures and in plain words. */
import type { Alternative } from '../../schemas/index.ts'
import type { Language } from './explain.ts'
import type { Candidate } from './model.ts'

export type Difference = NonNullable<Alternative['differences']>[number]
type Figures = Omit<Difference, 'text'>

/** Against the chosen one: `by` is what the other has more, in cents, km or percent. What is equal is left out, but the price. */
export function differencesOf(chosen: Candidate, other: Candidate): Figures[] {
  const found: Figures[] = [{ term: 'price', by: other.priceCentsPerMonth - chosen.priceCentsPerMonth }]
  const add = (term: Figures['term'], from: number | undefined, to: number | undefined) => {
    const by = Math.round(10 * ((to ?? 0) - (from ?? 0))) / 10
    if (by !== 0) found.push({ term, by })
  }
  add('distance', chosen.primary.distanceKm, other.primary.distanceKm)
  add('headroom', (chosen.primary.headroom ?? 0) / 10, (other.primary.headroom ?? 0) / 10)
  if (chosen.standby?.datacenterId !== other.standby?.datacenterId) found.push({ term: 'standby' })
  return found
}

const words = {
  price: {
    en: ['costs the same', '€ {by} a month cheaper', '€ {by} a month dearer'],
    nl: ['kost hetzelfde', '€ {by} per maand goedkoper', '€ {by} per maand duurder'],
  },
  distance: {
    en: ['as far away', '{by} km nearer', '{by} km farther'],
    nl: ['even ver', '{by} km dichterbij', '{by} km verder weg'],
  },
  headroom: {
    en: ['leaves as much room', 'leaves {by} % less room', 'leaves {by} % more room'],
    nl: ['laat evenveel ruimte', 'laat {by} % minder ruimte', 'laat {by} % meer ruimte'],
  },
} as const satisfies Record<string, Record<Language, readonly [same: string, less: string, more: string]>>

/** `standby`: the name of the other's, or null. */
export function explainDifference({ term, by = 0 }: Figures, standby: string | null, language: Language): string {
  if (term === 'standby') {
    if (standby === null) return language === 'en' ? 'without fallback' : 'zonder uitwijk'
    return language === 'en' ? `falls back to ${standby}` : `wijkt uit naar ${standby}`
  }
  const size = Math.abs(by)
  const figure = term === 'price' ? (size / 100).toFixed(2) : String(size)
  const sentence = words[term][language][by === 0 ? 0 : by < 0 ? 1 : 2]
  return sentence.replace('{by}', language === 'nl' ? figure.replace('.', ',') : figure)
}
