/**
 * Which headers pass, in either direction: only those named here. A credential that comes along is left behind, a name to act
 * in must be one of the desk's, and a connection says nothing but how it goes on.
 */
import { whereActiveHeader } from '../shared/http/where-active.ts'

export interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly groups: readonly string[]
  readonly impersonated: boolean
  /** The protocol asked for, lower case; undefined when none is. */
  readonly upgrade: string | undefined
  /** It is meant for where the hosting is active, and for nowhere else. */
  readonly whereActive: boolean
}

export type Read =
  | ({ readonly ok: true } & Sent)
  | { readonly ok: false; readonly status: 400 | 403; readonly why: string }

const passing = new Set([
  'accept',
  'accept-encoding',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'x-stream-protocol-version',
])
/** Said many times where each time counts: protocols to choose from. */
const repeatable = new Set(['x-stream-protocol-version'])
const streaming = new Set(['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'])
/** Left behind: of no use there, or not to be known there. */
const dropped = new Set(['host', 'authorization', 'cookie', 'proxy-authorization', 'te', 'date'])
const protocols = ['websocket', 'spdy/3.1']
const ours = /^gc:[A-Za-z0-9_.:@-]{1,250}$/
const names = new Set(['impersonate-user', 'impersonate-group'])

/** Reads the headers as they came, name and value in turn, so that none that is said twice counts as one. */
export function readHeaders(raw: readonly string[]): Read {
  const headers: Record<string, string> = {}
  const groups: string[] = []
  const seen = new Set<string>()
  let connection = ''
  let upgrade: string | undefined
  let whereActive = false
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const isTwice = seen.has(name)
    seen.add(name)
    if (/[^\t\x20-\x7e]/.test(value)) return refuse(400, `${name} holds what no header may`)
    if (name === 'impersonate-group') {
      if (!ours.test(value)) return refuse(403, 'only names that begin with gc: are acted for')
      groups.push(value)
      continue
    }
    if (isTwice && !repeatable.has(name)) return refuse(400, `${name} stands there twice`)
    if (name.startsWith('impersonate-') || name.startsWith('x-remote-')) {
      if (!names.has(name) || !ours.test(value)) return refuse(403, 'only names that begin with gc: are acted for')
      headers[name] = value
    } else if (name === 'transfer-encoding') {
      if (value.toLowerCase() !== 'chunked') return refuse(400, 'a body comes whole or in chunks')
      // Said again, or what is sent on would end where nobody sees it, and the rest of the body be the next request.
      headers[name] = 'chunked'
    } else if (name === 'connection') connection = value.toLowerCase()
    else if (name === 'upgrade') upgrade = value.toLowerCase()
    else if (name === whereActiveHeader) whereActive = true
    else if (passing.has(name)) headers[name] = isTwice ? `${headers[name]}, ${value}` : value
    else if (streaming.has(name)) headers[name] = value
    else if (!dropped.has(name) && name.startsWith('x-forwarded-')) return refuse(400, `${name} is not read here`)
  }
  return judged({ headers, groups, upgrade, connection, whereActive })
}

function judged({
  headers,
  groups,
  upgrade,
  connection,
  whereActive,
}: Omit<Sent, 'impersonated'> & { readonly connection: string }): Read {
  // A header that Connection names would be dropped on the way, by whoever follows the rules, after it was checked here.
  const options = connection.split(',').map((option) => option.trim())
  if (!options.every((option) => ['', 'keep-alive', 'close', 'upgrade'].includes(option)))
    return refuse(400, 'Connection names other headers')
  const impersonated = headers['impersonate-user'] !== undefined
  if (groups.length > 0 && !impersonated) return refuse(403, 'a group without a user is nobody')
  const asks = upgrade !== undefined || options.includes('upgrade')
  if (!asks) return { ok: true, headers, groups, impersonated, upgrade: undefined, whereActive }
  if (upgrade === undefined || !options.includes('upgrade') || !protocols.includes(upgrade))
    return refuse(400, 'the protocol that is asked for is none that passes')
  const { 'content-length': length = '0', 'transfer-encoding': encoding, ...others } = headers
  if (length !== '0' || encoding !== undefined) return refuse(400, 'what asks for another protocol has no body')
  return { ok: true, headers: others, groups, impersonated, upgrade, whereActive }
}

function refuse(status: 400 | 403, why: string): Read {
  return { ok: false, status, why }
}

const answering = new Set([
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'retry-after',
  'warning',
  'vary',
  'etag',
  'x-content-type-options',
  'x-kubernetes-pf-flowschema-uid',
  'x-kubernetes-pf-prioritylevel-uid',
])
const answeringUpgrade = new Set([
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-accept',
  'sec-websocket-protocol',
])

/** Of an answer of the API server: those that tell of the answer. */
export function answerHeaders(raw: readonly string[], upgraded = false): string[] {
  const kept = upgraded ? answeringUpgrade : answering
  const passed: string[] = []
  for (let index = 0; index < raw.length; index += 2) {
    const [name = '', value = ''] = [raw[index], raw[index + 1]]
    if (kept.has(name.toLowerCase())) passed.push(name, value)
  }
  return passed
}
