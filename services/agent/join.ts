/** Joining, and staying known: a key made here, a certificate for it from the desk, and another well before it runs out. */
import type { AgentCertificate, EnrolmentWaiting } from '../../schemas/index.ts'
import { type Clock, deadline } from '../shared/clock.ts'
import { backoffMs } from '../shared/kubernetes/backoff.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { createKey, createRequest, keyHash } from '../shared/x509.ts'
import type { Keep, Kept } from './keep.ts'

export interface JoinOptions {
  /** Origin of the desk's API. */
  readonly desk: string
  /** Needed until the desk knows the key. */
  readonly joinToken: string | undefined
  readonly keep: Keep
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
}

/** All that the tunnel needs. */
export interface Known extends Required<Kept> {
  readonly certificate: string
}

/** How often the desk is asked though nothing runs out: what it trusts, and where it is, may have changed. */
const askMs = 6 * 3_600_000
const waitingMs = 10_000
const answerMs = 30_000

/**
 * Calls `known` with what is known, first with what was kept, then after each change, until the signal aborts. Trouble is
 * logged and tried again: what was known stays good for as long as it does.
 */
export async function stayKnown(options: JoinOptions, known: (now: Known) => void): Promise<void> {
  const { keep, clock, random, log, signal } = options
  let failures = 0
  let last = ''
  const tell = (kept: Kept) => {
    const text = JSON.stringify(kept)
    if (text !== last && isKnown(kept)) known(kept)
    last = text
  }
  while (!signal.aborted) {
    let waitMs = askMs
    try {
      const kept = (await keep.read()) ?? (await keep.begin({ key: createKey() }))
      tell(kept)
      const answer = await ask(options, kept)
      failures = 0
      if ('certificate' in answer) {
        const { certificate, authorities, tunnels } = answer
        const now = { key: kept.key, certificate, authorities, tunnels }
        if (JSON.stringify(now) !== JSON.stringify(kept)) await keep.write(now)
        tell(now)
        waitMs = Math.min(askMs, Math.max(60_000, Date.parse(answer.renewAt) - clock.now()))
      } else {
        log.warn(
          { enrolment: answer.enrolmentId, key: keyHash(kept.key).toString('hex') },
          'the certificate has run out; somebody must approve this agent at the desk',
        )
        waitMs = waitingMs
      }
    } catch (error) {
      if (signal.aborted) return
      failures += 1
      waitMs = backoffMs(failures, random)
      log.warn({ err: error, failures }, 'the desk gave no certificate')
    }
    await clock.sleep(waitMs * (0.9 + random.next() / 10), signal).catch(() => undefined)
  }
}

function isKnown(kept: Kept): kept is Known {
  return kept.certificate !== undefined && kept.authorities !== undefined && kept.tunnels !== undefined
}

async function ask({ desk, joinToken, signal }: JoinOptions, kept: Kept): Promise<AgentCertificate | EnrolmentWaiting> {
  const csr = await createRequest(kept.key, 'agent')
  const response = await fetch(new URL('/api/v1/agents/certificates', desk), {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ csr, ...(joinToken !== undefined && { token: joinToken }) }),
    signal: AbortSignal.any([signal, deadline(answerMs)]),
  })
  const body = (await response.json()) as { detail?: string }
  if (!response.ok) throw new Error(`the desk answered ${response.status}: ${String(body.detail).slice(0, 300)}`)
  return body as unknown as AgentCertificate | EnrolmentWaiting
}
