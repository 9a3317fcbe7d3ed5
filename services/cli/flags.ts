/** What people type behind options, turned into values; what cannot be read is a usage error that says how it should be. */
import { InvalidArgumentError } from 'commander'

const zone = 'Europe/Amsterdam'

/** For options that may be given more than once: collects what `read` makes of each. */
export const several =
  <T>(read: (text: string) => T) =>
  (text: string, before: readonly T[] = []): T[] => [...before, read(text)]

export const asIs = (text: string): string => text

/** `name=value`; neither may be empty. */
export function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return [text.slice(0, at), text.slice(at + 1)]
}

/** `name=value` with a value that `read` takes. */
export const pairOf =
  <T>(read: (text: string) => T) =>
  (text: string): [string, T] => {
    const [name, value] = pair(text)
    return [name, read(value)]
  }

export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** SHA-256 in hexadecimal, however its digits are grouped. */
export function fingerprint(text: string): string {
  const digits = text
    .replace(/^sha256:/i, '')
    .replaceAll(/[:\s]/g, '')
    .toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(digits)) throw new InvalidArgumentError('It must be all 64 digits of a SHA-256.')
  return digits
}

/** `52.09,5.12`, latitude first. */
export function position(text: string): { latitude: number; longitude: number } {
  const [latitude = '', longitude = '', ...more] = text.split(',')
  if (more.length > 0) throw new InvalidArgumentError('It must be LATITUDE,LONGITUDE.')
  return { latitude: number(latitude), longitude: number(longitude) }
}

/** `2,3,3`: availability, integrity, confidentiality (BIV). */
export function classes(text: string): { availability: number; integrity: number; confidentiality: number } {
  const match = /^([123]),([123]),([123])$/.exec(text)
  if (!match) throw new InvalidArgumentError('It must be three classes from 1 to 3, such as 2,3,3.')
  return { availability: Number(match[1]), integrity: Number(match[2]), confidentiality: Number(match[3]) }
}

/** An amount in euros as whole units of `10 ** -decimals` euro: exact, because the text is never a float. */
export function euroAmount(text: string, decimals: 2 | 6): number {
  const match = new RegExp(`^(\\d{1,8})(?:\\.(\\d{1,${decimals}}))?$`).exec(text)
  if (!match) throw new InvalidArgumentError(`It must be euros with at most ${decimals} decimals, such as 7.50.`)
  return Number(`${match[1]}${(match[2] ?? '').padEnd(decimals, '0')}`)
}

/** An instant (`2027-01-01T00:00:00Z`), or a date: the first moment of that day in the Netherlands. RFC 3339 out. */
export function instant(text: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && isDay(text.slice(0, 10))) {
    if (!Number.isNaN(Date.parse(text))) return new Date(text).toISOString()
  }
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    for (const offset of ['+01:00', '+02:00']) {
      const moment = new Date(`${text}T00:00:00${offset}`)
      if (!Number.isNaN(moment.getTime()) && localTime(moment) === `${text} 00:00`) return moment.toISOString()
    }
  }
  throw new InvalidArgumentError('It must be a date such as 2027-01-01, or an instant such as 2027-01-01T00:00:00Z.')
}

/** JavaScript takes 30 February for 2 March. */
const isDay = (text: string) => {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

const localTime = (moment: Date) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(moment)
