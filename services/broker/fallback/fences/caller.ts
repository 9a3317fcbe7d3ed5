/** The one place that speaks to external fences: over HTTPS, to addresses that are allowed, with a sealed token. */
import { request } from 'node:https'
import { deadline } from '../../../shared/clock.ts'
import {
  createAddressGuard,
  type EndpointPolicy,
  endpointRefusal,
  guardedLookup,
  hostOf,
  hostRefusal,
} from '../../../shared/kubernetes/index.ts'
import type { Secrets } from '../../../shared/secrets.ts'
import { type FenceAnswer, readAnswer } from './core/answer.ts'

/** A fence as it is kept. */
export interface KeptFence {
  readonly datacenter_id: string
  readonly url: string
  readonly ca: string | null
  readonly token: Uint8Array
}

/** The same `fence` is the same request, however often it is sent. */
export interface FenceAsk {
  readonly fence: string
  readonly datacenter: string
  readonly askedAt: string
}

export interface FenceCaller {
  /** Why this address is not taken; undefined when it is. */
  refusal(url: string): Promise<string | undefined>
  seal(token: string, datacenterId: string): Buffer
  /** Rejects when it gives no usable answer in time. */
  ask(fence: KeptFence, ask: FenceAsk, signal: AbortSignal): Promise<FenceAnswer>
}

const withinMs = 30_000
const answerBytes = 64 * 1024

export function createFenceCaller(secrets: Secrets, policy: EndpointPolicy): FenceCaller {
  const guard = createAddressGuard(policy)
  const context = (datacenterId: string) => `fence ${datacenterId}`
  return {
    refusal: (url) => endpointRefusal(url, guard),
    seal: (token, datacenterId) => secrets.seal(token, context(datacenterId)),
    ask: async ({ datacenter_id, url, ca, token }, body, signal) => {
      const refused = hostRefusal(hostOf(new URL(url)), guard)
      if (refused !== undefined) throw new Error(refused)
      const text = JSON.stringify(body)
      const headers = {
        authorization: `Bearer ${secrets.open(token, context(datacenter_id))}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        'idempotency-key': body.fence,
      }
      const limit = AbortSignal.any([signal, deadline(withinMs)])
      const options = { method: 'POST', headers, lookup: guardedLookup(guard), agent: false, signal: limit }
      const { status, answer } = await post(url, { ...options, ...(ca !== null && { ca }) }, text)
      return readAnswer(status, answer)
    },
  }
}

/** No redirect is followed: where it leads to was not checked, and would get the token. */
function post(
  url: string,
  options: Parameters<typeof request>[1],
  text: string,
): Promise<{ status: number; answer: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; answer: string }>()
  const sent = request(url, options, (incoming) => {
    const parts: Buffer[] = []
    let bytes = 0
    incoming.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes > answerBytes) incoming.destroy(new Error('its answer is too large'))
      else parts.push(part)
    })
    incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, answer: Buffer.concat(parts).toString() }))
    incoming.on('error', reject)
  })
  // Another protocol is no answer; and whatever happens, the end of the connection is one.
  sent.on('upgrade', (_incoming, socket) => socket.destroy())
  sent.on('error', reject)
  sent.on('close', () => reject(new Error('it ended without an answer')))
  sent.end(text)
  return promise
}
