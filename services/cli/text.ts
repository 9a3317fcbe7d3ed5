/** Text for people: what came from elsewhere is made harmless for a terminal, figures get their unit. */
import { styleText } from 'node:util'
import type { Language } from '../placement/index.ts'
import { amountOf, isBytes } from '../shared/quantity.ts'
import type { Io } from './io.ts'

/** Controls, line separators, and marks that reorder or hide text: nothing a name needs, much that deceives. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** The text with everything that could steer a terminal written out: `\u001b`. */
export function printable(text: string): string {
  return text.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A line around values from elsewhere: the values are made printable, our own words stay as they are. */
export function line(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return strings.reduce((text, part, index) => text + printable(String(values[index - 1] ?? '')) + part)
}

export type Tone = 'good' | 'bad' | 'doubtful' | 'quiet' | 'heading'
const styles = { good: 'green', bad: 'red', doubtful: 'yellow', quiet: 'dim', heading: 'bold' } as const

export type Paint = (tone: Tone | undefined, text: string) => string

/** Colours for standard output: only on a terminal, and not when NO_COLOR is set (no-color.org). */
export function paintFor(io: Io): Paint {
  const colours = io.outIsTerminal && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb'
  return (tone, text) => (tone && colours ? styleText(styles[tone], text, { validateStream: false }) : text)
}

/** `4 s`, `12 min`, `3 h`, `5 d`; seconds in. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** The day on which an instant falls in the Netherlands: a date that was typed is shown as it was typed. */
export function day(instant: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Amsterdam', dateStyle: 'short' }).format(
    new Date(instant),
  )
}

/** Whole euro cents as `€ 1234.56`, in Dutch `€ 1234,56`: as the explanations beside it write them. */
export function euros(cents: number, language: Language = 'en'): string {
  const digits = String(Math.abs(cents)).padStart(3, '0')
  return `€ ${cents < 0 ? '-' : ''}${digits.slice(0, -2)}${language === 'nl' ? ',' : '.'}${digits.slice(-2)}`
}

/** A figure with so many decimals. */
export function decimals(value: number, places: number, language: Language): string {
  const text = value.toFixed(places)
  return language === 'nl' ? text.replace('.', ',') : text
}

/** An amount of a resource to compare at a glance: one decimal at most, and bytes in the unit that keeps it short. */
export function roughAmount(resource: string, exact: string): string {
  const amount = amountOf(resource, exact, 'down')
  const tenth = (value: number) => String(Math.floor(value * 10) / 10)
  if (resource === 'cpu') return amount < 1000 ? exact : tenth(amount / 1000)
  if (!isBytes(resource) || /^\d{1,4}([KMGT]i)?$/.test(exact)) return exact
  const power = Math.min(4, Math.floor(Math.log2(amount) / 10 - 0.2))
  return `${tenth(amount / 1024 ** power)}${['', 'Ki', 'Mi', 'Gi', 'Ti'][power]}`
}
