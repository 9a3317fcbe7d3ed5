/** How the gateway says no: a `Status` as an API server words it, which tells a person why. */

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, never>
  readonly status: 'Failure'
  readonly message: string
  readonly reason: string
  readonly details?: object
  readonly code: number
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'AlreadyExists',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  414: 'RequestURITooLong',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'InternalError',
  503: 'ServiceUnavailable',
}

/** Thrown for an answer that the client must hear; everything else that is thrown is a mistake of ours (500). */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** A word of Kubernetes, such as `NotFound`. */
  readonly code: string
  readonly status: Status
  readonly retryAfterSeconds: number | undefined

  constructor(status: Status, retryAfterSeconds?: number) {
    super(status.message)
    this.code = status.reason
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface RefusalOptions {
  readonly details?: object
  readonly retryAfterSeconds?: number
}

export function refusal(code: number, message: string, options: RefusalOptions = {}): Refusal {
  const { details, retryAfterSeconds } = options
  return new Refusal(statusOf(code, message, details), retryAfterSeconds)
}

export function statusOf(code: number, message: string, details?: object): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: reasons[code] ?? 'Unknown',
    ...(details && { details }),
    code,
  }
}

/** One answer for a namespace that is not there and for one of another tenant. */
export const noSuchNamespace = (name: string) =>
  refusal(404, `namespaces "${name}" not found`, { details: { name, kind: 'namespaces' } })

export const noSuchResource = () => refusal(404, 'the server could not find the requested resource', { details: {} })

export const expired = (message: string) => refusal(410, message)

export const unavailable = (message: string, retryAfterSeconds = 2) => refusal(503, message, { retryAfterSeconds })

/** Of all that were asked, which are these. */
export function noneAnswers(slugs: readonly string[]): Refusal {
  const [only] = slugs
  if (slugs.length === 1) return unavailable(`datacenter ${only} does not answer`)
  return unavailable(`none of your datacenters answers: ${slugs.toSorted().join(', ')}`)
}
