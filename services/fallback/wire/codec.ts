/** A message as one line of JSON, and back: what cannot be read is said so, never half believed. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { BetweenSites, FromDesk, FromSite, GuardAnswer, GuardAsk } from '../messages.ts'
import type { About, Hello } from './hello.ts'
import { betweenSites, fromDesk, fromSite, fromSiteOfItself, guardAnswer, guardAsk, type Kinds } from './schemas.ts'

/** `unknown-kind`: of a later version, to be ignored. `malformed`: dropped and counted. */
export type Unread = 'unknown-kind' | 'malformed'
export type Read<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly why: Unread }
export type Reader<Message> = (text: string) => Read<Message>

const ajv = new Ajv2020({ strict: true, strictTypes: false })

export const readFromSite: Reader<FromSite> = reader(fromSite)
/** With what a site says of itself, too. */
export const readOfSite: Reader<FromSite | About> = reader({ ...fromSite, ...fromSiteOfItself })
export const readFromDesk: Reader<FromDesk | Hello> = reader(fromDesk)
export const readBetweenSites: Reader<BetweenSites> = reader(betweenSites)
export const readGuardAsk: Reader<GuardAsk> = reader(guardAsk)
export const readGuardAnswer: Reader<GuardAnswer> = reader(guardAnswer)

export const lineOf = (message: { readonly kind: string }): string => `${JSON.stringify(message)}\n`

function reader<Message extends { readonly kind: string }>(kinds: Kinds<Message>): Reader<Message> {
  const checks = new Map<unknown, ValidateFunction>()
  for (const kind of Object.keys(kinds) as Message['kind'][]) checks.set(kind, ajv.compile(kinds[kind]))
  return (text) => {
    const value = parsed(text)
    const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
    if (typeof kind !== 'string') return { ok: false, why: 'malformed' }
    const check = checks.get(kind)
    if (!check) return { ok: false, why: 'unknown-kind' }
    return check(value) ? { ok: true, message: value as unknown as Message } : { ok: false, why: 'malformed' }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON, so no message.
    return undefined
  }
}
