/** What a drill may find: how heavy it weighs, and what is told of it in both languages. */
import type { DrillFinding } from '../../../../schemas/index.ts'

interface Kind {
  readonly weight: DrillFinding['weight']
  readonly en: string
  readonly nl: string
}

/** `{…}` is filled in. */
const kinds = {
  'nowhere-to-go': {
    weight: 'fault',
    en: '{hosting} comes up nowhere: {why}',
    nl: '{hosting} komt nergens op: {why}',
  },
  'placed-anew': {
    weight: 'fault',
    en: '{hosting} does not come up at its standby: {why}. It would be placed anew at {to}',
    nl: '{hosting} komt niet op bij zijn uitwijk: {why}. Het zou opnieuw geplaatst worden bij {to}',
  },
  'no-fallback': {
    weight: 'note',
    en: '{hosting} has no fallback and is down until its datacenter is back',
    nl: '{hosting} heeft geen uitwijk en ligt stil tot zijn datacenter terug is',
  },
  unmeasured: {
    weight: 'note',
    en: 'How long {hosting} takes to start was never measured: hold a shadow drill',
    nl: 'Hoe lang het starten van {hosting} duurt is nooit gemeten: houd een schaduwtest',
  },
  'slower-than-promised': {
    weight: 'fault',
    en: 'It was back after {seconds} s, and {promised} s was promised',
    nl: 'Het was na {seconds} s terug, en {promised} s was beloofd',
  },
  'would-be-slow': {
    weight: 'fault',
    en: '{hosting} is expected back after {seconds} s, and {promised} s was promised',
    nl: '{hosting} is naar verwachting na {seconds} s terug, en {promised} s was beloofd',
  },
  'older-than-promised': {
    weight: 'fault',
    en: 'What would have been lost was {seconds} s old, and {promised} s was promised',
    nl: 'Wat verloren zou gaan was {seconds} s oud, en {promised} s was beloofd',
  },
  'not-ready': {
    weight: 'fault',
    en: 'Not all of it was ready in time: {what}',
    nl: 'Niet alles was op tijd gereed: {what}',
  },
  'nothing-to-start': {
    weight: 'fault',
    en: 'Nothing that runs pods has been mirrored to where it falls back to, so nothing was tried',
    nl: 'Er staat bij de uitwijk niets gespiegeld dat pods draait; er is dus niets beproefd',
  },
  refused: {
    weight: 'fault',
    en: 'The cluster refused: {what}',
    nl: 'Het cluster weigerde: {what}',
  },
  'left-out': {
    weight: 'note',
    en: 'Not started, for it acts outside of the hosting or at a time of its own: {what}',
    nl: 'Niet gestart, omdat het buiten de hosting of op eigen tijden werkt: {what}',
  },
  'out-of-time': {
    weight: 'fault',
    en: 'It was not over when its time was; what it had made is removed',
    nl: 'De test was niet klaar binnen zijn tijd; wat er gemaakt was is opgeruimd',
  },
  'waited-for': {
    weight: 'note',
    en: 'It waited for: {what}',
    nl: 'Er werd gewacht op: {what}',
  },
  'not-moved': {
    weight: 'fault',
    en: 'It did not go there: {why}',
    nl: 'De overgang ging niet door: {why}',
  },
  'not-back': {
    weight: 'fault',
    en: 'It has not been brought back: {why}. It runs at {at}',
    nl: 'Het is niet teruggebracht: {why}. Het draait bij {at}',
  },
  'not-drilled': {
    weight: 'fault',
    en: '{hosting} was not drilled: {why}',
    nl: '{hosting} is niet beproefd: {why}',
  },
  'part-not-passed': {
    weight: 'fault',
    en: '{hosting} has not passed: {why}',
    nl: '{hosting} is niet geslaagd: {why}',
  },
  'part-left-out': {
    weight: 'note',
    en: 'A drill of this kind says nothing of {hosting}: {why}',
    nl: 'Een test van deze soort zegt niets over {hosting}: {why}',
  },
  'slow-to-stop': {
    weight: 'fault',
    en: '{datacenter} took {seconds} s to stop it, and declares {promised} s',
    nl: '{datacenter} had {seconds} s nodig om te stoppen, en geeft {promised} s op',
  },
} as const satisfies Record<string, Kind>

export type FindingCode = keyof typeof kinds

export function finding(code: FindingCode, filled: Readonly<Record<string, string | number>> = {}): DrillFinding {
  const { weight, en, nl }: Kind = kinds[code]
  const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? ''))
  return { weight, code, en: fill(en), nl: fill(nl) }
}

export const isFaulty = (findings: readonly DrillFinding[]): boolean =>
  findings.some(({ weight }) => weight === 'fault')
