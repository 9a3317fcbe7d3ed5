/** A decision as it is stored, which is in English, in another language: its sentences made again from its figures. */
import type { Alternative, DecisionView, Preemption, Refusal as RefusalView } from '../../schemas/index.ts'
import { explainDifference } from './differences.ts'
import { explainRefusal, type Language, summarise } from './explain.ts'
import type { Refusal } from './model.ts'

/** Why a request has no place where the reason is not, or not only, what datacenters refused. */
export const faults = {
  gaveWay: {
    en: 'gives way to a hosting of a higher priority, and is placed anew once it has gone',
    nl: 'maakt plaats voor een hosting met een hogere prioriteit, en krijgt een nieuwe plek zodra ze weg is',
  },
  makingRoom: {
    en: 'room is being made: hostings of a lower priority give way, and it is placed once they have gone',
    nl: 'er wordt plaatsgemaakt: hostings met een lagere prioriteit wijken, en zodra ze weg zijn wordt ze geplaatst',
  },
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
  const { alternatives, refusals, nearestMiss, preemption } = decision
  return {
    ...decision,
    summary: summaryOf(decision, language),
    alternatives: alternatives.map((alternative) => differences(alternative, language)),
    refusals: refusals.map((refusal) => refusalIn(refusal, language)),
    ...(nearestMiss && { nearestMiss: refusalIn(nearestMiss, language) }),
    ...(preemption && { preemption: { ...preemption, text: explainPreemption(preemption, language) } }),
  }
}

/** Nobody is named: who would give way is theirs to know who run it. */
export function explainPreemption(
  { primary, standby, givingWay }: Omit<Preemption, 'text'>,
  language: Language,
): string {
  const one = givingWay === 1
  if (language === 'nl') {
    const falls = standby === null ? '' : `, met uitwijk naar ${standby}`
    const wijkt = `${givingWay} hosting${one ? '' : 's'} met een lagere prioriteit ${one ? 'wijkt' : 'wijken'}`
    const when = givingWay === 0 ? 'zodra weg is wat al vertrekt' : `als ${wijkt}`
    return `een aanvraag met deze prioriteit krijgt plek in ${primary}${falls}, ${when}; er wordt niets vastgehouden`
  }
  const falls = standby === null ? '' : ` and falls back to ${standby}`
  const gives = `${givingWay} hosting${one ? '' : 's'} of a lower priority ${one ? 'gives' : 'give'} way`
  const when = givingWay === 0 ? 'once those have gone that go already' : `when ${gives}`
  return `a request of this priority gets a place at ${primary}${falls} ${when}; nothing is kept for it`
}

function summaryOf(decision: DecisionView, language: Language): string {
  const { outcome, summary, alternatives, refusals, replicas } = decision
  const [chosen] = alternatives
  if (outcome === 'placed') return chosen ? placedSummary(chosen, replicas, language) : summary
  const fault = Object.values(faults).find(({ en }) => en === summary)
  return fault ? fault[language] : summarise(refusals.map(factsOf), language)
}

export function placedSummary(
  { primary, standby }: Pick<Alternative, 'primary' | 'standby'>,
  replicas: DecisionView['replicas'],
  language: Language,
): string {
  const runs = (standby ? runningThere[standby.mode ?? 'cold'][language] : '') + replicasText(replicas, language)
  if (language === 'nl')
    return `draait in ${primary.datacenter}, ${standby ? `wijkt uit naar ${standby.datacenter}` : 'zonder uitwijk'}${runs}`
  return `runs at ${primary.datacenter}, ${standby ? `falls back to ${standby.datacenter}` : 'without fallback'}${runs}`
}

function replicasText(replicas: DecisionView['replicas'] = [], language: Language): string {
  const [of, joint, start] = language === 'nl' ? ['van', ' en ', 'met'] : ['of', ' and ', 'with']
  const parts = replicas.map(({ component, claimed, most }) => `${claimed} ${of} ${most} × ${component}`)
  return parts.length > 0 ? `, ${start} ${parts.join(joint)}` : ''
}

/** Of the standby, while nothing is lost. */
const runningThere = {
  cold: { en: '', nl: '' },
  warm: { en: ', where a few replicas run', nl: ', waar een paar replica’s draaien' },
  hot: { en: ', where all of it runs', nl: ', waar alles draait' },
} as const satisfies Record<string, Record<Language, string>>

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
