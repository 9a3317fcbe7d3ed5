/** The kind as an OpenAPI 3.0 document, as clients read it to explain and to know what they may send; from the one schema. */
import { createHash } from 'node:crypto'
import { apiVersion, group, kind, resource, version } from './kind.ts'
import { HostingRequestSpec } from './schema.ts'

type Json = Record<string, unknown>

const component = 'nl.gemeentecloud.hosting.v1.HostingRequest'
const reference = { $ref: `#/components/schemas/${component}` }
const kindOf = { group, kind, version }

const text = (description: string) => ({ type: 'string', description })
const conditions = {
  type: 'array',
  description: 'Accepted, Placed and Ready',
  items: {
    type: 'object',
    properties: {
      type: text('Accepted, Placed or Ready'),
      status: text('True or False'),
      observedGeneration: { type: 'integer', description: 'Of which generation this is' },
      lastTransitionTime: text('Since when, where that is kept'),
      reason: text('One word'),
      message: text('For people'),
    },
  },
}
const refusals = {
  type: 'array',
  description: 'Why datacenters were not taken, while the request is unschedulable',
  items: {
    type: 'object',
    properties: {
      datacenter: text('Which'),
      role: text('primary or standby'),
      rule: text('What it does not keep'),
      message: text('How much, or what, is missing'),
    },
  },
}
const status = {
  type: 'object',
  description: 'Where the request stands',
  properties: {
    state: text('pending, unschedulable, provisioning, running, degraded or ending'),
    fallbackStatus: text('none, ready, degraded or unprotected'),
    hostingId: text('Its id in the API'),
    namespace: text('Where to work, once it has a place'),
    primary: text('The datacenter where it runs'),
    standby: text('The datacenter where it falls back to'),
    priceCentsPerMonth: { type: 'integer', description: 'What it costs' },
    refusals,
    observedGeneration: { type: 'integer', description: 'The generation that this is of' },
    conditions,
  },
}

/** From JSON Schema 2020-12 to what OpenAPI 3.0 and the parser of Kubernetes read. */
export function openApiSchema(schema: unknown): Json {
  const { anyOf, const: one, patternProperties, exclusiveMinimum, $id: _, ...rest } = schema as Json
  const found: Json = { ...rest }
  if (one !== undefined) return { ...found, type: typeof one, enum: [one] }
  if (Array.isArray(anyOf)) return { ...found, ...eitherOf(anyOf as Json[]) }
  if (typeof exclusiveMinimum === 'number') Object.assign(found, { minimum: exclusiveMinimum, exclusiveMinimum: true })
  if (patternProperties) found['additionalProperties'] = openApiSchema(Object.values(patternProperties as Json)[0])
  const { properties, items } = found
  if (properties)
    found['properties'] = Object.fromEntries(
      Object.entries(properties as Json).map(([name, each]) => [name, openApiSchema(each)]),
    )
  if (items) found['items'] = openApiSchema(items)
  return found
}

function eitherOf(options: readonly Json[]): Json {
  const some = options.filter(({ type }) => type !== 'null')
  const nullable = some.length < options.length && { nullable: true }
  if (some.every((option) => 'const' in option))
    return { type: 'string', enum: some.map((option) => option['const']), ...nullable }
  return some.length === 1
    ? { ...openApiSchema(some[0]), ...nullable }
    : { anyOf: some.map(openApiSchema), ...nullable }
}

const parameter = (name: string, description: string, type = 'string') => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
})
const writing = [
  parameter('dryRun', 'All: nothing is done'),
  parameter('fieldManager', 'Who applies'),
  parameter('fieldValidation', 'What is not known is refused, whatever this says'),
]
const answers = (code: string) => ({
  [code]: { description: 'OK', content: { 'application/json': { schema: reference } } },
})
const operation = (action: string, id: string, code: string, more: object = {}) => ({
  operationId: `${id}HostingGemeentecloudNlV1HostingRequest`,
  description: `${action} a ${kind}`,
  'x-kubernetes-action': action,
  'x-kubernetes-group-version-kind': kindOf,
  responses: answers(code),
  ...more,
})
const sent = (...types: string[]) => ({
  parameters: writing,
  requestBody: { required: true, content: Object.fromEntries(types.map((type) => [type, { schema: reference }])) },
})

const collection = `/apis/${apiVersion}/${resource}`

export const hostingDocument = {
  openapi: '3.0.0',
  info: { title: 'gemeentecloud', version: 'v1' },
  paths: {
    [collection]: {
      get: operation('list', 'list', '200'),
      post: operation('post', 'create', '201', sent('application/json')),
    },
    [`${collection}/{name}`]: {
      get: operation('get', 'read', '200'),
      put: operation('put', 'replace', '200', sent('application/json')),
      patch: operation('patch', 'patch', '200', sent('application/merge-patch+json', 'application/apply-patch+yaml')),
      delete: operation('delete', 'delete', '200', { parameters: writing }),
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }],
    },
  },
  components: {
    schemas: {
      [component]: {
        type: 'object',
        description: 'A request for hosting: the desk places it, and its namespace has the same name.',
        required: ['spec'],
        properties: {
          apiVersion: text('hosting.gemeentecloud.nl/v1'),
          kind: text(kind),
          metadata: { type: 'object', description: 'The name is that of the hosting and of its namespace' },
          spec: openApiSchema(HostingRequestSpec),
          status,
        },
        'x-kubernetes-group-version-kind': [kindOf],
      },
    },
  },
}

/** Where it is, for the index; the hash changes with it. */
export const hostingDocumentName = `apis/${apiVersion}`
export const hostingDocumentUrl = `/openapi/v3/${hostingDocumentName}?hash=${createHash('sha256')
  .update(JSON.stringify(hostingDocument))
  .digest('hex')
  .toUpperCase()}`
