/**
 * The NL API Design Rules that a document can show, each under its published name.
 * https://gitdocumentatie.logius.nl/publicatie/api/adr/
 */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly pattern?: string
  readonly description?: string
  readonly properties?: Record<string, Schema>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly required?: readonly string[]
}

interface Response {
  readonly description?: string
  readonly headers?: Record<string, unknown>
  readonly content?: Record<string, { readonly schema?: Schema }>
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Record<string, Response>
}

export interface OpenApi {
  readonly openapi?: string
  readonly info: { readonly version?: string; readonly contact?: Record<string, string> }
  readonly servers?: readonly { readonly url: string }[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components?: { readonly schemas?: Record<string, Schema> }
}

interface Place {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

type Rule = (document: OpenApi, places: readonly Place[]) => string[]

const methods = new Set(['get', 'post', 'put', 'patch', 'delete'])
const semver = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/
/** Collections that are a noun without a plural, or one thing of their parent. */
const singular = new Set([
  'active',
  'capacity',
  'fence',
  'fencing',
  'inventory',
  'connection',
  'report',
  'unmet-demand',
  'openapi.json',
])
const verbs = /^(get|list|create|make|add|update|set|delete|remove|do|run|search|find|request|check)(-|$)/

const segments = (path: string) => path.split('/').filter((segment) => segment !== '' && !segment.startsWith('{'))
const at = ({ method, path }: Place) => `${method.toUpperCase()} ${path}`
const pathsWhere = (places: readonly Place[], wrong: (path: string) => boolean) => [
  ...new Set(places.map(({ path }) => path).filter(wrong)),
]
const responses = (places: readonly Place[], statuses: RegExp) =>
  places.flatMap((place) =>
    Object.entries(place.operation.responses)
      .filter(([status]) => statuses.test(status))
      .map(([status, response]) => ({ where: `${at(place)} ${status}`, response })),
  )

/** Every rule by name; it gives the places that break it. */
export const openApiRules: Readonly<Record<string, Rule>> = {
  '/core/doc-openapi': ({ openapi }) => (/^3\.\d+(\.\d+)?$/.test(openapi ?? '') ? [] : [`openapi is ${openapi}`]),
  '/core/doc-openapi-contact': ({ info }) =>
    ['name', 'url', 'email']
      .filter((field) => !info.contact?.[field])
      .map((field) => `info.contact.${field} is missing`),
  '/core/publish-openapi': ({ paths }) =>
    paths['/openapi.json']?.['get'] ? [] : ['GET /openapi.json is not in the document'],
  '/core/semver': ({ info }) => (semver.test(info.version ?? '') ? [] : [`info.version is ${info.version}`]),
  '/core/uri-version': ({ info, servers = [] }) => {
    const major = `/v${info.version?.split('.')[0]}`
    const wrong = servers.filter(({ url }) => !url.endsWith(major)).map(({ url }) => `${url} does not end in ${major}`)
    return servers.length === 0 ? ['there is no server'] : wrong
  },
  '/core/version-header': (_document, places) =>
    responses(places, /^[23]/)
      .filter(({ response }) => !Object.keys(response.headers ?? {}).some((name) => /^api-version$/i.test(name)))
      .map(({ where }) => `${where} has no API-Version header`),
  '/core/no-trailing-slash': (_document, places) => pathsWhere(places, (path) => path !== '/' && path.endsWith('/')),
  '/core/path-segments-kebab-case': (_document, places) =>
    pathsWhere(
      places,
      (path) => !segments(path).every((s) => s === 'openapi.json' || /^[a-z0-9]+(-[a-z0-9]+)*$/.test(s)),
    ),
  '/core/naming-resources': (_document, places) =>
    pathsWhere(places, (path) => segments(path).some((s) => verbs.test(s))),
  '/core/naming-collections': (_document, places) =>
    pathsWhere(places, (path) => !segments(path).every((s) => s.endsWith('s') || singular.has(s))),
  '/core/http-methods': ({ paths }) =>
    Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => !methods.has(method) && method !== 'parameters')
        .map((method) => `${method.toUpperCase()} ${path}`),
    ),
  '/core/query-keys-camel-case': (_document, places) =>
    places.flatMap((place) =>
      (place.operation.parameters ?? [])
        .filter((p) => p.in === 'query' && !/^[a-z][A-Za-z0-9]*$/.test(p.name))
        .map((p) => `${at(place)} ?${p.name}`),
    ),
  '/core/error-handling/problem-details': (document, places) => [
    ...responses(places, /^[45]/)
      .filter(({ response }) => !response.content?.['application/problem+json'])
      .map(({ where }) => `${where} is not application/problem+json`),
    ...problemShape(document, places),
  ],
  '/core/error-handling/invalid-input': (_document, places) =>
    places.filter(({ operation }) => !Object.keys(operation.responses).some((s) => /^4(00|XX)$/i.test(s))).map(at),
  '/core/date-time/format': ({ components }) =>
    properties(components?.schemas ?? {})
      .filter(({ name, schema }) => /(At|Until|Since)$/.test(name) && !isInstant(schema))
      .map(({ where }) => `${where} is no date-time`),
  'schema-names': ({ components }) =>
    Object.keys(components?.schemas ?? {}).filter((name) => !/^[A-Z][A-Za-z0-9]*$/.test(name)),
  'property-names': ({ components }) =>
    properties(components?.schemas ?? {})
      .filter(({ name }) => !/^[a-z][A-Za-z0-9]*$/.test(name))
      .map(({ where }) => where),
  'answers-are-objects': (_document, places) =>
    responses(places, /^2/)
      .filter(({ response }) => response.content?.['application/json']?.schema?.type === 'array')
      .map(({ where }) => `${where} is an array at the top`),
  'operations-named': (_document, places) =>
    places
      .filter(({ operation }) => !/^[a-z][A-Za-z0-9]+$/.test(operation.operationId ?? '') || !operation.summary)
      .map((place) => `${at(place)} needs an operationId in camelCase and a summary`),
  'answers-described': (_document, places) =>
    responses(places, /./)
      .filter(({ response }) => !response.description || response.description === 'Default Response')
      .map(({ where }) => `${where} says nothing`),
}

/** Problem bodies hold at least what RFC 9457 names and the rules require. */
function problemShape(document: OpenApi, places: readonly Place[]): string[] {
  return responses(places, /^[45]/).flatMap(({ where, response }) => {
    const given = response.content?.['application/problem+json']?.schema
    if (!given) return []
    const name = given.$ref?.split('/').at(-1)
    const schema = name === undefined ? given : document.components?.schemas?.[name]
    return ['type', 'title', 'status', 'detail', 'instance']
      .filter((member) => !schema?.properties?.[member])
      .map((member) => `${where} has no ${member}`)
  })
}

function isInstant(schema: Schema): boolean {
  if (schema.$ref !== undefined) return true
  return schema.format?.startsWith('date-time') || (schema.anyOf ?? []).some(isInstant) || false
}

function properties(schemas: Record<string, Schema>): { name: string; where: string; schema: Schema }[] {
  const found: { name: string; where: string; schema: Schema }[] = []
  const walk = (schema: Schema, where: string) => {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      found.push({ name, where: `${where}.${name}`, schema: inner })
      walk(inner, `${where}.${name}`)
    }
    for (const inner of [schema.items, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])]) if (inner) walk(inner, where)
  }
  for (const [name, schema] of Object.entries(schemas)) walk(schema, name)
  return found
}

/** What breaks a rule, one line each: `rule: place`. */
export function checkOpenApi(document: OpenApi): string[] {
  const places = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.has(method))
      .map(([method, operation]) => ({ path, method, operation })),
  )
  return Object.entries(openApiRules).flatMap(([name, rule]) =>
    rule(document, places).map((found) => `${name}: ${found}`),
  )
}
