/** The two ways a call to a cluster fails: the API server refused it, or gave no usable answer. */

/** The API server answered with an error: a `Status` of Kubernetes, or whatever stood in its place. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError'
  /** The HTTP status. */
  readonly status: number
  /** A word of Kubernetes, such as `NotFound`, `Conflict`, `Forbidden`, `Expired`; empty when it gave none. */
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(oneLine(message))
    this.status = status
    this.reason = reason
  }
}

/** No usable answer: no connection, a certificate that is not trusted, too slow, too large, not JSON, cut off. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'

  constructor(message: string, cause?: unknown) {
    super(oneLine(message), { cause })
  }
}

/** A cluster tells more of a kind than we take of any: a mistake, or meant to exhaust us. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** The address is one that a cluster may not have (loopback, link-local, metadata …); no connection was made. */
export class EndpointRefused extends Unreachable {
  readonly code = 'ENDPOINT_REFUSED'
}

/** What a cluster writes ends in logs and answers: one line, of bounded length. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, 500)
}

/** The error of a `Status` object, or of any body that came with an error status. */
export function errorOf(status: number, body: unknown): KubernetesError {
  const { reason, message } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = typeof message === 'string' && message !== '' ? message : `the API server answered ${status}`
  return new KubernetesError(status, typeof reason === 'string' ? reason : '', text)
}
