/** What the OpenAPI document says beside the routes: title, servers, security, tags. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import Type from 'typebox'
import * as contract from '../../schemas/index.ts'
import { NoQuery, problemAnswers } from '../shared/http/contract.ts'
import type { HttpServer } from '../shared/http/server.ts'

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'gemeentecloud',
      version: '1.0.0',
      description:
        'The national desk for municipal datacenter capacity: register datacenters, ask for hosting, follow what happens.',
      license: { name: 'EUPL-1.2', url: 'https://eupl.eu/1.2/en/' },
      contact: { name: 'Landelijk loket', url: 'https://gemeentecloud.nl', email: 'loket@gemeentecloud.nl' },
    },
    servers: [{ url: '/api/v1', description: 'This broker' }],
    tags: [
      { name: 'parties', description: 'Organisations and their tokens' },
      { name: 'datacenters', description: 'Capacity that providers register and offer' },
      { name: 'agents', description: 'How an agent joins for a datacenter, and stays known' },
      { name: 'systems', description: 'Software that consumers run' },
      { name: 'hostings', description: 'Deployments that are placed, billed and failed over' },
      { name: 'quotes', description: 'Where something would fit, and its price' },
      { name: 'plans', description: 'What would have to move; proposed, never carried out by this version' },
      { name: 'operations', description: 'Failovers, failbacks, drains and moves, from the plan to the end' },
      { name: 'drills', description: 'That hostings come up elsewhere, tried before it has to be, with evidence' },
      { name: 'events', description: 'Every change, in order' },
      { name: 'description', description: 'This document' },
    ],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
  },
  stripBasePath: true,
}

/** GET /openapi.json: for everybody, made once. */
export function documentRoute(app: HttpServer, make: () => object): void {
  let document: object | undefined
  app.get(
    '/openapi.json',
    {
      config: { action: 'public' },
      schema: {
        operationId: 'getDescription',
        summary: 'This description',
        tags: ['description'],
        security: [],
        querystring: NoQuery,
        response: { 200: Type.Object({}), ...problemAnswers },
      },
    },
    async () => {
      document ??= make()
      return document
    },
  )
}

interface Operation {
  responses: Record<string, { description: string; headers?: object; content?: Record<string, object> }>
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: object
}

/**
 * The document as it is published: every shape of the contract named once under components and referred to elsewhere,
 * every answer with its meaning, media type and API-Version header.
 */
export function publishedDocument(generated: object): object {
  const shapes = Object.entries(contract).filter(
    ([name, value]) => /^[A-Z]/.test(name) && 'type' in value && value.type === 'object',
  )
  const textOf = canonicalTexts()
  const names = new Map(shapes.map(([name, value]) => [textOf(value), name]))
  const nameOf = (value: object) => names.get(textOf(value) ?? '')
  const document = refer(generated, nameOf) as Document
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, response] of Object.entries(operation.responses)) describe(status, response)
  }
  const schemas = shapes.map(([name, value]) => [name, refer(JSON.parse(JSON.stringify(value)), nameOf, name)])
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } }
}

/** Puts a reference wherever a named shape stands, except at the top of `own` itself. */
function refer(value: unknown, nameOf: (value: object) => string | undefined, own?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => refer(item, nameOf))
  if (typeof value !== 'object' || value === null) return value
  const name = nameOf(value)
  // Readers know RFC 3339's format by its common name; that it must end in Z stands in the description.
  if ('format' in value && value.format === 'date-time-utc') return { ...value, format: 'date-time' }
  if (name !== undefined && name !== own) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, refer(item, nameOf)]))
}

const meanings: Record<string, string> = {
  200: 'What was asked for',
  201: 'Done, and this is what came of it',
  202: 'Accepted; it goes on, see Location',
  '4XX': 'Refused: what is wrong and what to do, see docs/problems.md',
  '5XX': 'Not possible just now, or our mistake; nothing was changed, or a repeat with the same key will tell',
}

function describe(status: string, response: Operation['responses'][string]): void {
  response.description = meanings[status] ?? response.description
  const header = { description: 'Version of this API', schema: { type: 'string' } }
  response.headers = { ...response.headers, 'API-Version': header }
  if (!/^[45]/.test(status) || !response.content) return
  response.content = { 'application/problem+json': Object.values(response.content)[0] ?? {} }
}

/**
 * Equal shapes give equal text, whatever the order of their keys; the generator writes `const` as an `enum` of one and the
 * one pattern of a record as its `additionalProperties`. Each object is written once, however often it is asked for, as it
 * is for every level above it.
 */
function canonicalTexts(): (value: unknown) => string | undefined {
  const texts = new WeakMap<object, string>()
  const textOf = (value: unknown): string | undefined => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    const text = texts.get(value) ?? write(value)
    texts.set(value, text)
    return text
  }
  const write = (value: object): string => {
    if (Array.isArray(value)) return `[${value.map((item) => textOf(item) ?? 'null').join(',')}]`
    const isRecord = 'patternProperties' in value
    const kept = Object.entries(value).filter(([key]) => !(isRecord && key === 'additionalProperties'))
    const entries = kept.map(([key, inner]): [string, unknown] => {
      if (key === 'const') return ['enum', [inner]]
      return key === 'patternProperties' ? ['additionalProperties', Object.values(inner as object)[0]] : [key, inner]
    })
    const fields = entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => ({ key, text: textOf(inner) }))
    const written = fields.filter(({ text }) => text !== undefined)
    return `{${written.map(({ key, text }) => `${JSON.stringify(key)}:${text}`).join(',')}}`
  }
  return textOf
}
