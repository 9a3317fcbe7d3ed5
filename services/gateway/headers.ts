/** Which headers pass, in either direction: only those named here, so that nothing can be smuggled into our own name. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

const toMember = ['accept', 'content-type', 'user-agent', 'accept-encoding'] as const
const toMemberForUpgrade = [
  'user-agent',
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
] as const
const toClient = [
  'content-type',
  'content-encoding',
  'content-length',
  'cache-control',
  'retry-after',
  'warning',
  'x-content-type-options',
  'vary',
  'etag',
] as const
const toClientForUpgrade = [
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-accept',
  'sec-websocket-protocol',
] as const

/** Who names an identity of his own wants to be somebody else: refused, not ignored. */
export function claimsIdentity(headers: IncomingHttpHeaders): string | undefined {
  for (const name in headers) if (name.startsWith('impersonate-') || name.startsWith('x-remote-')) return name
  return undefined
}

export const requestHeaders = (headers: IncomingHttpHeaders) => pick(headers, toMember)
export const upgradeHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => ({
  ...pick(headers, toMemberForUpgrade),
  connection: 'Upgrade',
})
export const answerHeaders = (headers: IncomingHttpHeaders) => pick(headers, toClient)
export const upgradedHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => ({
  ...pick(headers, toClientForUpgrade),
  connection: 'Upgrade',
})

function pick(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  const picked: OutgoingHttpHeaders = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) picked[name] = value
  }
  return picked
}
