/** What a request asks of the Kubernetes API, read once; whatever could be read in two ways is refused. */

/** A request for objects. */
export interface Resource {
  readonly kind: 'resource'
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  readonly verb: Verb
  readonly path: string
  readonly query: URLSearchParams
}

/** A request for what is not an object: discovery, schemas, the version, a probe. */
export interface Document {
  readonly kind: 'document'
  /** The segments of the path. */
  readonly parts: readonly string[]
  readonly path: string
  readonly query: URLSearchParams
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export type Read =
  | { readonly ok: true; readonly target: Resource | Document }
  | { readonly ok: false; readonly code: 400 | 404 | 405 | 414; readonly message: string }

const longestPath = 2_048
const longestQuery = 16_384
/** Those that a client may give more than once. */
const repeatable = new Set(['command', 'ports'])
/** One of these with nothing in it means everything to an API server, which nobody who writes it can have meant. */
const neverEmpty = ['labelSelector', 'fieldSelector']
const switches = ['watch', 'follow', 'allowWatchBookmarks', 'sendInitialEvents']
/** Of a namespace itself; every other segment behind its name is a resource inside. */
const namespaceParts = new Set(['status', 'finalize'])

const refuse = (code: 400 | 404 | 405 | 414, message: string): Read => ({ ok: false, code, message })

/** `target` as it stands in the request line. Pure. */
export function readTarget(method: string, target: string): Read {
  const at = target.indexOf('?')
  const path = at < 0 ? target : target.slice(0, at)
  const rawQuery = at < 0 ? '' : target.slice(at + 1)
  if (path.length > longestPath || rawQuery.length > longestQuery) return refuse(414, 'the address is too long')
  const parts = segmentsOf(path)
  if (parts === undefined) return refuse(400, 'the path is not in canonical form')
  const query = queryOf(rawQuery)
  if (typeof query === 'string') return refuse(400, query)
  const at0 = parts[0]
  const depth = at0 === 'api' ? 2 : at0 === 'apis' ? 3 : Number.POSITIVE_INFINITY
  if (parts.length <= depth) {
    if (method !== 'GET') return refuse(405, 'the server does not allow this method on the requested resource')
    return { ok: true, target: { kind: 'document', parts, path, query } }
  }
  return resourceOf(method, path, parts, query)
}

/** Undefined unless each segment is plain text: no escapes, no dots alone, nothing empty. */
function segmentsOf(path: string): string[] | undefined {
  if (path === '/') return []
  if (!/^(\/[A-Za-z0-9._~:@$!*'(),;=+-]+)+$/.test(path)) return undefined
  const parts = path.slice(1).split('/')
  return parts.some((part) => /^\.+$/.test(part) || part.length > 253) ? undefined : parts
}

function queryOf(raw: string): URLSearchParams | string {
  if (raw === '') return new URLSearchParams()
  try {
    decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return 'the query has a broken percent escape'
  }
  if (/[^\x21-\x7e]/.test(raw)) return 'the query has characters that are not escaped'
  const query = new URLSearchParams(raw)
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name)
    if (values.length > 1 && !repeatable.has(name)) return `${printable(name)} is given more than once`
    if (values.some((value) => value.includes('\0'))) return `${printable(name)} holds a NUL`
  }
  for (const name of neverEmpty) if (query.get(name)?.trim() === '') return `${name} is empty; leave it out`
  for (const name of switches) {
    const value = query.get(name)
    if (value !== null && !['true', '1', 'false', '0'].includes(value)) return `${name} must be true or false`
  }
  return query
}

const printable = (text: string) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 60)

function resourceOf(method: string, path: string, parts: readonly string[], query: URLSearchParams): Read {
  const core = parts[0] === 'api'
  const group = core ? '' : (parts[1] ?? '')
  const version = (core ? parts[1] : parts[2]) ?? ''
  const rest = parts.slice(core ? 2 : 3)
  const inside =
    rest[0] === 'namespaces' && rest.length > 2 && !(rest.length === 3 && namespaceParts.has(rest[2] ?? ''))
  const namespace = inside ? rest[1] : undefined
  const [resource = '', name, subresource, ...more] = inside ? rest.slice(2) : rest
  if (!/^v[0-9][a-z0-9]*$/.test(version) || !/^[a-z][a-z0-9-]*$/.test(resource) || !isGroup(core, group))
    return refuse(404, 'the server could not find the requested resource')
  if (more.length > 0) return refuse(404, 'the server could not find the requested resource')
  if (namespace !== undefined && !isName(namespace))
    return refuse(404, 'the server could not find the requested resource')
  const verb = verbOf(method, name !== undefined, query)
  if (verb === undefined) return refuse(405, 'the server does not allow this method on the requested resource')
  const found = { kind: 'resource', group, version, resource, verb, path, query } as const
  return {
    ok: true,
    target: {
      ...found,
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
      ...(subresource !== undefined && { subresource }),
    },
  }
}

const isGroup = (core: boolean, group: string) => core || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(group)

/** A DNS label, which the name of a namespace is. */
export const isName = (text: string) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)

function verbOf(method: string, named: boolean, query: URLSearchParams): Verb | undefined {
  const watching = ['true', '1'].includes(query.get('watch') ?? '')
  switch (method) {
    case 'GET':
      return named ? 'get' : watching ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return named ? 'update' : undefined
    case 'PATCH':
      return named ? 'patch' : undefined
    case 'DELETE':
      return named ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
