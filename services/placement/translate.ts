/** A decision as it is stored, which is in English, in another language: its sentences made again from its figures. */
import type { Alternative, DecisionView, Refusal as RefusalView } from '../../schemas/index.ts'
import { explainDifference } from './differences.ts'
import { explainRefusal, type Language, summarise } from './explain.ts'
import type { Refusal } from './model.ts'

/** Why a request was refused that no datacenter refused. */
export const faults = {
  undigested: {
    en: 'the engine could not handle this request; the log of the broker says why',
    nl: 'de planner kon deze aanvraag niet verwerken; het logboek van de broker zegt waarom',
  },
  unwritable: {
    en: 'the decision could not be written; the log of the broker says why',
    nl: 'het besluit kon niet worden vastgelegd; het logboek van de broker zegt waarom',
  },
} as const satisfies Record<string, Record<Language, string>>

export function inLanguage(decision: DecisionView, language: Language): DecisionView {
  if (language === 'en') return decision
  const { alternatives, refusals, nearestMiss } = decision
  return {
    ...decision,
    summary: summaryOf(decision, language),
    alternatives: alternatives.map((alternative) => differences(alternative, language)),
    refusals: refusals.map((refusal) => refusalIn(refusal, language)),
    ...(nearestMiss && { nearestMiss: refusalIn(nearestMiss, language) }),
  }
}

function summaryOf({ outcome, summary, alternatives: [chosen], refusals }: DecisionView, language: Language): string {
  if (outcome === 'placed') return chosen ? placedSummary(chosen, language) : summary
  const fault = Object.values(faults).find(({ en }) => en === summary)
  return fault ? fault[language] : summarise(refusals.map(factsOf), language)
}

export function placedSummary(
  { primary, standby }: Pick<Alternative, 'primary' | 'standby'>,
  language: Language,
): string {
  if (language === 'nl')
    return `draait in ${primary.datacenter}, ${standby ? `wijkt uit naar ${standby.datacenter}` : 'zonder uitwijk'}`
  return `runs at ${primary.datacenter}, ${standby ? `falls back to ${standby.datacenter}` : 'without fallback'}`
}

function differences(alternative: Alternative, language: Language): Alternative {
  if (!alternative.differences) return alternative
  const standby = alternative.standby?.datacenter ?? null
  const told = alternative.differences.map((each) => ({ ...each, text: explainDifference(each, standby, language) }))
  return { ...alternative, differences: told }
}

const refusalIn = (refusal: RefusalView, language: Language): RefusalView => ({
  ...refusal,
  message: explainRefusal(factsOf(refusal), language),
})

function factsOf({ message: _, datacenter: __, asked, available, missing, ...facts }: RefusalView): Refusal {
  return {
    ...facts,
    ...(asked !== undefined && { asked: factOf(asked) }),
    ...(available !== undefined && { available: factOf(available) }),
    ...(missing !== undefined && { missing: Number(missing) }),
  }
}

const factOf = (text: string): number | string => (/^\d+(\.\d+)?(e[+-]\d+)?$/.test(text) ? Number(text) : text)
