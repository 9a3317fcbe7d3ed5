/** The ways in which the tunnel fails, told apart by `reason`. */
import { Unreachable } from '../shared/kubernetes/errors.ts'

/**
 * `absent`: no agent is connected; `busy`: its connections carry all the pipes they may; `late`: it did not answer; `closing`:
 * this end is shutting down; `lost`: the connection broke; `reset`: the other end gave this pipe up.
 */
export type TunnelDownReason = 'absent' | 'busy' | 'late' | 'closing' | 'lost' | 'reset'

/** No pipe, or no longer. Nothing was sent unless the reason is `lost` or `reset`. */
export class TunnelDown extends Unreachable {
  readonly reason: TunnelDownReason
  /** As a socket would have it, for those who know only sockets. */
  readonly code: 'ECONNRESET' | 'ECONNREFUSED'

  constructor(reason: TunnelDownReason, message: string, cause?: unknown) {
    super(message, cause)
    this.reason = reason
    this.code = reason === 'lost' || reason === 'reset' ? 'ECONNRESET' : 'ECONNREFUSED'
  }
}

/** One end does not want this connection, and said why. */
export class Refused extends Error {
  override readonly name = 'Refused'
  /** `desk`: it does not admit this agent; `agent`: it cannot use this desk; `twice`: it has this replica already. */
  readonly by: 'desk' | 'agent' | 'twice'

  constructor(by: Refused['by'], message: string) {
    super(message)
    this.by = by
  }
}
