/** The rules by which a datacenter is refused, and what a refusal says to people, in English and Dutch. */
import type { Refusal } from './model.ts'

export type Language = 'en' | 'nl'

/** For each rule: the name of the group it counts under, and the sentence with the figures. */
const rules = {
  region: {
    en: ['region not among those asked', 'lies in region {available}, asked is {asked}'],
    nl: ['regio niet gevraagd', 'ligt in regio {available}, gevraagd is {asked}'],
  },
  'region-excluded': {
    en: ['region excluded', 'lies in region {available}, which is excluded'],
    nl: ['regio uitgesloten', 'ligt in regio {available}, die is uitgesloten'],
  },
  'operator-excluded': {
    en: ['operator excluded', 'is run by {available}, which is excluded'],
    nl: ['beheerder uitgesloten', 'wordt beheerd door {available}, die is uitgesloten'],
  },
  'datacenter-excluded': {
    en: ['datacenter excluded', 'is excluded by the request'],
    nl: ['datacenter uitgesloten', 'is in de aanvraag uitgesloten'],
  },
  classes: {
    en: ['security class too low', 'may carry {resource} up to class {available}, asked is {asked}'],
    nl: ['BIV-klasse te laag', 'mag {resource} dragen tot klasse {available}, gevraagd is {asked}'],
  },
  evidence: {
    en: ['evidence missing or expiring', 'needs {asked} in force over the whole period; it has it until: {available}'],
    nl: ['bewijs ontbreekt of verloopt', 'heeft {asked} nodig over de hele periode; geldig tot: {available}'],
  },
  apart: {
    en: ['must be kept apart from another hosting', 'holds {asked}, from which this one is to be kept apart'],
    nl: ['moet apart blijven van een andere hosting', 'draagt {asked}, en daarvan moet deze apart blijven'],
  },
  together: {
    en: ['must be together with another hosting', 'is not where {asked} runs ({available})'],
    nl: ['moet samen met een andere hosting', 'is niet waar {asked} draait ({available})'],
  },
  capability: {
    en: ['capability missing', 'does not have {asked}'],
    nl: ['voorziening ontbreekt', 'heeft geen {asked}'],
  },
  distance: {
    en: ['too far away', 'is {available} km away, at most {asked} km is asked'],
    nl: ['te ver weg', 'ligt op {available} km, gevraagd is hooguit {asked} km'],
  },
  'storage-class': {
    en: ['storage class missing', 'has no storage class {asked}, but {available}'],
    nl: ['opslagklasse ontbreekt', 'heeft geen opslagklasse {asked}, wel {available}'],
  },
  'storage-class-shared': {
    en: [
      'storage class cannot be shared',
      'has storage class {asked}, but not for reading and writing from several nodes',
    ],
    nl: [
      'opslagklasse niet deelbaar',
      'heeft opslagklasse {asked}, maar niet om vanaf meer nodes te lezen en te schrijven',
    ],
  },
  closed: {
    en: ['not open for new hostings', 'takes no new hostings: {available}'],
    nl: ['niet open voor nieuwe hostings', 'neemt geen nieuwe hostings aan: {available}'],
  },
  'inventory-stale': {
    en: ['capacity not known well enough', 'was last seen {age}, which is too long ago to promise anything'],
    nl: [
      'capaciteit niet goed genoeg bekend',
      'is voor het laatst gezien {age}: te lang geleden om iets toe te zeggen',
    ],
  },
  'period-over': {
    en: ['period is over', 'the period asked ended at {asked}'],
    nl: ['periode voorbij', 'de gevraagde periode eindigde op {asked}'],
  },
  'offer-period': {
    en: ['no offer over the whole period', 'has no offer in force at {available}, asked is until {asked}'],
    nl: ['geen aanbod over de hele periode', 'heeft geen aanbod op {available}, gevraagd is tot {asked}'],
  },
  'offer-missing': {
    en: ['{resource} not on offer', 'does not offer {resource}, asked is {asked}'],
    nl: ['{resource} niet in het aanbod', 'biedt geen {resource} aan, gevraagd is {asked}'],
  },
  'offer-short': {
    en: [
      'not enough {resource} on offer',
      'has {available} of {resource} left on offer, asked is {asked}: {missing} short',
    ],
    nl: [
      'te weinig {resource} in het aanbod',
      'heeft nog {available} {resource} in het aanbod, gevraagd is {asked}: {missing} te weinig',
    ],
  },
  'fallback-quality': {
    en: [
      'not enough {resource} that a fallback may count on',
      'has {available} of {resource} that is guaranteed or revocable, asked is {asked}: {missing} short',
    ],
    nl: [
      'te weinig {resource} waarop uitwijk mag rekenen',
      'heeft {available} {resource} gegarandeerd of opzegbaar, gevraagd is {asked}: {missing} te weinig',
    ],
  },
  price: {
    en: ['price above the cap', 'costs {available} euro cents a month, the cap is {asked}'],
    nl: ['prijs boven het maximum', 'kost {available} eurocent per maand, het maximum is {asked}'],
  },
  'node-size': {
    en: [
      'no node with enough {resource}',
      'has no node with {asked} of {resource} free for one {component}; the largest has {available} (seen {age})',
    ],
    nl: [
      'geen node met genoeg {resource}',
      'heeft geen node met {asked} {resource} vrij voor een {component}; de ruimste heeft {available} (gezien {age})',
    ],
  },
  'node-fit': {
    en: [
      'free space too scattered over nodes',
      'has nodes for {available} of {asked} replicas of {component} (seen {age})',
    ],
    nl: [
      'vrije ruimte te versnipperd over nodes',
      'heeft nodes voor {available} van {asked} replica’s van {component} (gezien {age})',
    ],
  },
  'node-displaced': {
    en: [
      'has replicas without a node',
      'has {missing} replicas whose node is gone or too small to find room for first (seen {age})',
    ],
    nl: [
      'heeft replica’s zonder node',
      'moet eerst ruimte vinden voor {missing} replica’s waarvan de node weg of te klein is (gezien {age})',
    ],
  },
  'no-standby': {
    en: ['no standby goes with it', 'fits, but no other datacenter can be its standby'],
    nl: ['geen uitwijk mogelijk', 'past, maar geen ander datacenter kan de uitwijk zijn'],
  },
  'same-site': {
    en: ['is the primary', 'is the primary itself'],
    nl: ['is de primaire plek', 'is zelf de primaire plek'],
  },
  'failure-domain': {
    en: ['shares a failure domain', 'shares {available} with the primary'],
    nl: ['deelt een storingsgebied', 'deelt {available} met de primaire plek'],
  },
  'standby-distance': {
    en: ['too close to the primary', 'is {available} km from the primary, at least {asked} km is asked'],
    nl: [
      'te dicht bij de primaire plek',
      'ligt op {available} km van de primaire plek, gevraagd is minstens {asked} km',
    ],
  },
} as const satisfies Record<string, Record<Language, readonly [group: string, sentence: string]>>

export type Rule = keyof typeof rules

/** A refusal before it is tied to a datacenter and a role. */
export type Ruling = Omit<Refusal, 'datacenterId' | 'role' | 'rule'> & { readonly rule: Rule }

/** Every rule there is, for documentation and checks. */
export const ruleNames: readonly string[] = Object.keys(rules)

/** The sentence of a refusal; it names no datacenter, so that the caller can put any name before it. */
export function explainRefusal(refusal: Refusal, language: Language): string {
  const sentence = fill(textOf(refusal.rule, language)[1], refusal, language)
  return refusal.part ? `${sentence}; ${parts[refusal.part][language]}` : sentence
}

/** Of a warm standby. */
const parts = {
  running: { en: 'that is for what runs there', nl: 'dat is voor wat daar draait' },
  reserved: { en: 'that is for what is reserved there', nl: 'dat is voor wat daar gereserveerd wordt' },
} as const satisfies Record<string, Record<Language, string>>

/** The rule of a group in a few words. */
export function explainGroup(group: Pick<RefusalGroup, 'rule' | 'resource'>, language: Language): string {
  return fill(textOf(group.rule, language)[0], group, language)
}

/** An instant as people and machines read it; the open end by that name. */
export function instantText(instant: number): string {
  return Number.isFinite(instant) ? new Date(instant).toISOString() : 'open'
}

export interface RefusalGroup {
  readonly role: Refusal['role']
  readonly rule: string
  readonly resource?: string
  readonly count: number
}

/** Refusals counted by role, rule and resource, the largest group first. */
export function groupRefusals(refusals: readonly Refusal[]): RefusalGroup[] {
  const groups = Map.groupBy(refusals, ({ role, rule, resource }) =>
    [role, rule, groupsByResource(rule) ? (resource ?? '') : ''].join(' '),
  )
  return [...groups]
    .flatMap(([key, [first, ...rest]]) => (first ? [{ key, first, count: rest.length + 1 }] : []))
    .sort((a, b) =>
      a.first.role < b.first.role
        ? -1
        : a.first.role > b.first.role
          ? 1
          : b.count - a.count || (a.key < b.key ? -1 : 1),
    )
    .map(({ first, count }) => ({
      role: first.role,
      rule: first.rule,
      ...(first.resource !== undefined && groupsByResource(first.rule) && { resource: first.resource }),
      count,
    }))
}

/** The groups in one line: what people read first. */
export function summarise(refusals: readonly Refusal[], language: Language = 'en'): string {
  const groups = groupRefusals(refusals)
  if (groups.length === 0) return language === 'en' ? 'no datacenter takes part' : 'er doet geen datacenter mee'
  const line = (role: Refusal['role'], title: string) => {
    const own = groups.filter((group) => group.role === role)
    if (own.length === 0) return []
    const total = own.reduce((sum, { count }) => sum + count, 0)
    return `${title} ${total}: ${own.map((g) => `${g.count} × ${explainGroup(g, language)}`).join(', ')}`
  }
  const titles =
    language === 'en' ? (['refused', 'refused as standby'] as const) : (['geweigerd', 'geweigerd als uitwijk'] as const)
  return [line('primary', titles[0]), line('standby', titles[1])].flat().join('; ')
}

function textOf(rule: string, language: Language): readonly [string, string] {
  return Object.hasOwn(rules, rule) ? rules[rule as Rule][language] : [rule, rule]
}

function groupsByResource(rule: string): boolean {
  return textOf(rule, 'en')[0].includes('{resource}')
}

function fill(template: string, facts: Partial<Refusal>, language: Language): string {
  const { resource, asked, available, missing, component, ageSeconds } = facts
  const unit = facts.rule === 'classes' || facts.rule === 'node-fit' ? undefined : resource
  const values: Record<string, string> = {
    resource: resource ?? '',
    component: component ?? '',
    asked: figure(unit, asked, language),
    available: figure(unit, available, language),
    missing: figure(unit, missing, language),
    age:
      ageSeconds === undefined
        ? language === 'en'
          ? 'never'
          : 'nooit'
        : `${Math.floor(ageSeconds)} s ${language === 'en' ? 'ago' : 'geleden'}`,
  }
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

/** What stands in place of a figure. */
const words = {
  open: { en: 'no end', nl: 'zonder einde' },
  nowhere: { en: 'nowhere', nl: 'nergens' },
} as const satisfies Record<string, Record<Language, string>>

/** A figure in the unit people use: cores, GiB or pieces. */
function figure(resource: string | undefined, value: number | string | undefined, language: Language): string {
  if (value === undefined) return language === 'en' ? 'none' : 'geen'
  if (typeof value === 'string')
    return Object.hasOwn(words, value) ? words[value as keyof typeof words][language] : value
  const decimals = (number: number, places: number) => {
    const text = String(Number(number.toFixed(places)))
    return language === 'nl' ? text.replace('.', ',') : text
  }
  if (resource === 'cpu') return `${decimals(value / 1000, 3)} ${language === 'en' ? 'cores' : 'kernen'}`
  if (resource === 'memory' || resource === 'ephemeral-storage' || resource?.startsWith('storage/'))
    return value < 2 ** 20 ? `${value} B` : `${decimals(value / 2 ** 30, 3)} GiB`
  return decimals(value, 1)
}
