/** How an API server says no: `Status` objects, with the reasons and words that clients look for. */

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: object
  readonly status: 'Failure' | 'Success'
  readonly message?: string
  readonly reason?: string
  readonly details?: object
  readonly code?: number
}

export class StatusError extends Error {
  readonly status: Status & { readonly code: number }
  constructor(code: number, reason: string, message: string, details?: object) {
    super(message)
    const more = details === undefined ? {} : { details }
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...more, code }
  }
}

export function success(plural: string, name: string, uid: string | undefined): Status {
  const details = { name, kind: plural, ...(uid !== undefined && { uid }) }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

const of = (plural: string, name: string) => `${plural} "${name}"`

export const notFound = (plural: string, name: string) =>
  new StatusError(404, 'NotFound', `${of(plural, name)} not found`, { name, kind: plural })
/** For a path that is none, as opposed to an object that is not there. */
export const noSuchPath = (why = 'the server could not find the requested resource') =>
  new StatusError(404, 'NotFound', why, {})
export const alreadyExists = (plural: string, name: string) =>
  new StatusError(409, 'AlreadyExists', `${of(plural, name)} already exists`, { name, kind: plural })
export const conflict = (plural: string, name: string, why: string) => {
  const words = `Operation cannot be fulfilled on ${of(plural, name)}: ${why}`
  return new StatusError(409, 'Conflict', words, { name, kind: plural })
}
export const forbidden = (plural: string, name: string, why: string, causes?: readonly object[]) =>
  new StatusError(403, 'Forbidden', `${of(plural, name)} is forbidden: ${why}`, {
    name,
    kind: plural.split('.')[0],
    ...(causes && { causes }),
  })
export const notAcceptable = () =>
  new StatusError(406, 'NotAcceptable', 'only the following media types are accepted: application/json', {})
export const invalid = (kind: string, name: string, field: string, why: string) =>
  new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${field}: ${why}`, {
    name,
    kind,
    causes: [{ reason: 'FieldValueInvalid', message: why, field }],
  })
export const unprocessable = (why: string) =>
  new StatusError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {})
export const badRequest = (why: string) => new StatusError(400, 'BadRequest', why)
export const unauthorized = () => new StatusError(401, 'Unauthorized', 'Unauthorized')
export const methodNotAllowed = () =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
export const unsupportedMediaType = (type: string, known: readonly string[]) => {
  const words = `the body of the request was in an unknown format - accepted media types include: ${known.join(', ')}`
  return new StatusError(415, 'UnsupportedMediaType', type === '' ? `${words}; there was none` : words, {})
}
export const tooLong = (bytes: number) =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bytes}`, {})
export const tooManyRequests = (why: string, causes: readonly object[]) =>
  new StatusError(429, 'TooManyRequests', why, { causes })
export const internalError = (why: string) => new StatusError(500, 'InternalError', why)
export const expired = (why: string) => new StatusError(410, 'Expired', why)
export const tooLarge = (wanted: number, current: number) =>
  new StatusError(504, 'Timeout', `Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
export const unavailable = (why: string) => new StatusError(503, 'ServiceUnavailable', why, { retryAfterSeconds: 1 })
