/** What a plan says to people, in English and Dutch: its sum, why a seat moves, and why one stays. */
import type { Language } from '../explain.ts'
import type { Goal, MoveReason, Unmoved } from './model.ts'

const reasons = {
  goal: { en: 'the goal asks it', nl: 'het doel vraagt het' },
  pair: { en: 'goes along with the other seat of this hosting', nl: 'gaat mee met de andere plek van deze hosting' },
  room: { en: 'makes room for {for}', nl: 'maakt ruimte voor {for}' },
  balance: { en: 'evens out', nl: 'verdeelt gelijker' },
} as const satisfies Record<MoveReason, Record<Language, string>>

const staying = {
  refused: { en: 'no datacenter takes it', nl: 'geen datacenter neemt het op' },
  order: {
    en: 'there is a place for it, but no order in which it never lacks one',
    nl: 'er is een plek, maar geen volgorde waarin het steeds een plek heeft',
  },
  limit: { en: 'the moves that are allowed were used up', nl: 'de toegestane verplaatsingen waren op' },
} as const satisfies Record<Unmoved['why'], Record<Language, string>>

const goals = {
  drain: { en: 'emptying {sites}', nl: '{sites} leegmaken' },
  evacuate: { en: 'evacuating {sites}', nl: '{sites} ontruimen' },
  rebalance: { en: 'evening out', nl: 'gelijker verdelen' },
  reclaim: { en: 'giving capacity back to {sites}', nl: 'capaciteit teruggeven aan {sites}' },
} as const satisfies Record<Goal['kind'], Record<Language, string>>

/** `forName`: whom the room is for; when that is nobody in particular, the goal. */
export function explainMove(reason: MoveReason, forName: string | undefined, language: Language): string {
  return reasons[reason][language].replace('{for}', forName ?? (language === 'nl' ? 'het doel' : 'the goal'))
}

export function explainUnmoved(why: Unmoved['why'], language: Language): string {
  return staying[why][language]
}

/** The plan in one line; `sites` are the datacenters that the goal names, as people know them. */
export function summarisePlan(
  { kind, sites, moves, unmoved }: { kind: Goal['kind']; sites: readonly string[]; moves: number; unmoved: number },
  language: Language,
): string {
  const what = goals[kind][language].replace('{sites}', sites.join(', '))
  if (language === 'nl') {
    const stays =
      unmoved === 0
        ? 'er blijft niets achter'
        : `${unmoved} ${unmoved === 1 ? 'hosting blijft' : 'hostings blijven'} achter`
    const moved = `${moves} ${moves === 1 ? 'verplaatsing' : 'verplaatsingen'}`
    return kind === 'rebalance' ? `${what}: ${moved}` : `${what}: ${moved}, ${stays}`
  }
  const stays =
    unmoved === 0 ? 'nothing stays behind' : `${unmoved} ${unmoved === 1 ? 'hosting stays' : 'hostings stay'} behind`
  const moved = `${moves} ${moves === 1 ? 'move' : 'moves'}`
  return kind === 'rebalance' ? `${what}: ${moved}` : `${what}: ${moved}, ${stays}`
}
