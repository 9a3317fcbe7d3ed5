/** What the OpenAPI document says beside the routes: title, servers, security, tags. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import * as contract from '../../schemas/index.ts'

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'gemeentecloud',
      version: '1.0.0',
      description: 'The national desk for municipal datacenter capacity: register datacenters, ask for hosting, follow what happens.',
      license: { name: 'EUPL-1.2', url: 'https://eupl.eu/1.2/en/' },
      contact: { name: 'Landelijk loket', url: 'https://gemeentecloud.nl' },
    },
    servers: [{ url: '/api/v1', description: 'This broker' }],
    tags: [
      { name: 'parties', description: 'Organisations and their tokens' },
      { name: 'datacenters', description: 'Capacity that providers register and offer' },
      { name: 'systems', description: 'Software that consumers run' },
      { name: 'hostings', description: 'Deployments that are placed, billed and failed over' },
      { name: 'quotes', description: 'Where something would fit, and its price' },
      { name: 'events', description: 'Every change, in order' },
    ],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
  },
  stripBasePath: true,
}

/**
 * The document with every shape of the contract named once under components and referred to elsewhere, so that people and
 * generators see `Hosting` and not its fields again at each route.
 */
export function withNamedSchemas(document: object): object {
  const shapes = Object.entries(contract).filter(([name, value]) => /^[A-Z]/.test(name) && 'type' in value && value.type === 'object')
  const names = new Map(shapes.map(([name, value]) => [canonical(value), name]))
  const refer = (value: unknown, own?: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => refer(item))
    if (typeof value !== 'object' || value === null) return value
    const name = names.get(canonical(value))
    // Readers know RFC 3339's format by its common name; that it must end in Z stands in the description.
    if ('format' in value && value.format === 'date-time-utc') return { ...value, format: 'date-time' }
    if (name !== undefined && name !== own) return { $ref: `#/components/schemas/${name}` }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, refer(item)]))
  }
  const named = refer(document) as { components: object }
  const schemas = Object.fromEntries(shapes.map(([name, value]) => [name, refer(JSON.parse(JSON.stringify(value)), name)]))
  return { ...named, components: { ...named.components, schemas } }
}

/**
 * Equal shapes give equal text, whatever the order of their keys; the generator writes `const` as an `enum` of one and the
 * one pattern of a record as `additionalProperties`.
 */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    const entries = Object.entries(item).map(([key, inner]): [string, unknown] => {
      if (key === 'const') return ['enum', [inner]]
      return key === 'patternProperties' ? ['additionalProperties', Object.values(inner as object)[0]] : [key, inner]
    })
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
