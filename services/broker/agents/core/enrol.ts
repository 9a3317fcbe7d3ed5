/** What becomes of a request for a certificate: the rules, given all that is known of its token and its key. */
import { renewalAt } from './authorities.ts'

export interface TokenView {
  readonly datacenterId: string
  readonly expiresMs: number
  readonly replaces: boolean
  /** The key that used it up; null while nobody has. */
  readonly usedBy: string | null
}

export interface AgentView {
  readonly datacenterId: string
  readonly key: string
  readonly untilMs: number
}

export interface Asked {
  readonly key: string
  readonly now: number
  /** `unknown`: one was given that is none of ours. */
  readonly token: TokenView | 'unknown' | undefined
  /** The agent that has this key, and the one that the token's datacenter has. */
  readonly byKey: AgentView | undefined
  /** Whether the certificate of that agent is of an authority that issues no longer. */
  readonly isOfFormer: boolean
  readonly atDatacenter: AgentView | undefined
}

export type Outcome =
  | { readonly do: 'join'; readonly datacenterId: string; readonly replaced: boolean }
  | { readonly do: 'same' | 'renew' | 'approval'; readonly datacenterId: string }
  | { readonly do: 'refuse'; readonly code: 'unauthenticated' | 'state-conflict'; readonly why: string }

/**
 * A token that is of no more use counts as none where the key is known: what it has is given again, for the answer may have
 * been lost, and an agent goes on sending the token that it was installed with. Another key learns nothing from such a token.
 */
export function decideEnrolment({ key, now, token, byKey, isOfFormer, atDatacenter }: Asked): Outcome {
  const isSpent = token === 'unknown' || (token && (token.usedBy !== null || token.expiresMs <= now))
  if (token && !(isSpent && byKey)) {
    if (token === 'unknown') return refuse('unauthenticated', 'The join token is none of ours')
    if (token.usedBy !== null) return refuse('unauthenticated', 'The join token has been used')
    if (token.expiresMs <= now) return refuse('unauthenticated', 'The join token has expired')
    const { datacenterId } = token
    if (byKey && byKey.datacenterId !== datacenterId)
      return refuse('state-conflict', 'This key belongs to the agent of another datacenter')
    const replaced = atDatacenter !== undefined && atDatacenter.key !== key
    if (replaced && !token.replaces)
      return refuse(
        'state-conflict',
        'The datacenter has an agent with another key; it stays, unless the join token is made to replace it',
      )
    return { do: 'join', datacenterId, replaced }
  }
  if (!byKey) return refuse('unauthenticated', 'No agent has this key; it joins with a join token')
  const { datacenterId, untilMs } = byKey
  if (untilMs <= now) return { do: 'approval', datacenterId }
  return { do: isOfFormer || now >= renewalAt(untilMs) ? 'renew' : 'same', datacenterId }
}

function refuse(code: 'unauthenticated' | 'state-conflict', why: string): Outcome {
  return { do: 'refuse', code, why }
}
