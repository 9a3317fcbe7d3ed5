/** The files of a simulation: their shapes in the API's own vocabulary, and every mistake in them by file and pointer. */
import Type, { type Static, type TSchema } from 'typebox'
import {
  ConstraintsInput,
  DatacenterInput,
  HostingInput,
  Inventory,
  OfferInput,
  SystemInput,
} from '../../../schemas/index.ts'
import { usage } from '../errors.ts'
import { parseDocuments, readText } from '../files.ts'
import type { Io } from '../io.ts'

const limitBytes = 32 * 2 ** 20
const closed = { additionalProperties: false } as const
const Instant = HostingInput.properties.period.properties.start
const Slug = SystemInput.properties.slug
const Word = DatacenterInput.properties.region
const NodeName = Type.String({ minLength: 1, maxLength: 253 })

const { connection: _, operatorId: __, ...described } = DatacenterInput.properties
const { nodes, storageClasses } = Inventory.properties

/** A registration with its inventory and offers; `operator` is any word, the datacenter's own slug when absent. */
const SimulatedDatacenter = Type.Object(
  {
    ...described,
    operator: Type.Optional(Word),
    inventory: Type.Object({ nodes, storageClasses: Type.Optional(storageClasses) }, closed),
    offers: Type.Array(OfferInput, { maxItems: 1_000 }),
  },
  closed,
)
export type SimulatedDatacenter = Static<typeof SimulatedDatacenter>

const SimulatedSystem = Type.Object({ ...SystemInput.properties, owner: Type.Optional(Word) }, closed)

export const Federation = Type.Object(
  {
    at: Type.Optional(Instant),
    datacenters: Type.Array(SimulatedDatacenter, { minItems: 1, maxItems: 10_000 }),
    systems: Type.Array(SimulatedSystem, { minItems: 1, maxItems: 10_000 }),
  },
  closed,
)
export type Federation = Static<typeof Federation>

const { systemId: ___, quoteId: ____, constraints: _____, ...asked } = HostingInput.properties

/** As a request to the API, with the system, datacenters and operators by their names. */
const SimulatedRequest = Type.Object(
  {
    ...asked,
    systemSlug: Slug,
    constraints: Type.Optional(
      Type.Object(
        {
          ...ConstraintsInput.properties,
          operatorsNot: Type.Optional(Type.Array(Word, { maxItems: 50, uniqueItems: true })),
          datacentersNot: Type.Optional(Type.Array(Slug, { maxItems: 50, uniqueItems: true })),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type SimulatedRequest = Static<typeof SimulatedRequest>

export const Requests = Type.Object({ requests: Type.Array(SimulatedRequest, { maxItems: 100_000 }) }, closed)

const event = <T extends string, P extends Record<string, TSchema>>(type: T, fields: P) =>
  Type.Object({ at: Instant, type: Type.Literal(type), ...fields }, closed)

/** By type, so that a mistake is told about the one that was meant. */
const eventShapes = {
  'hosting.requested': event('hosting.requested', { request: SimulatedRequest }),
  'hosting.ended': event('hosting.ended', { hosting: Slug }),
  'datacenter.cordoned': event('datacenter.cordoned', { datacenter: Slug }),
  'datacenter.uncordoned': event('datacenter.uncordoned', { datacenter: Slug }),
  'datacenter.drained': event('datacenter.drained', { datacenter: Slug }),
  'node.gone': event('node.gone', { datacenter: Slug, node: NodeName }),
  'node.cordoned': event('node.cordoned', { datacenter: Slug, node: NodeName }),
  'node.uncordoned': event('node.uncordoned', { datacenter: Slug, node: NodeName }),
  'offers.changed': event('offers.changed', { datacenter: Slug, offers: Type.Array(OfferInput, { maxItems: 1_000 }) }),
} as const
export type SimulatedEvent = Static<(typeof eventShapes)[keyof typeof eventShapes]>

export const eventTypes = Object.keys(eventShapes)
const Events = Type.Object({ events: Type.Array(Type.Unknown(), { maxItems: 100_000 }) }, closed)

/** The one object of a file, of this shape. */
export async function readShaped<T extends TSchema>(io: Io, file: string, shape: T): Promise<Static<T>> {
  const documents = await parseDocuments(await readText(io, file, limitBytes), file)
  if (documents.length !== 1) throw usage(`${file} holds ${documents.length} documents; one is expected`)
  const found = await mistakes(shape, documents[0], '')
  if (found.length > 0) throw wrong(file, found)
  return documents[0] as Static<T>
}

export async function readEvents(io: Io, file: string): Promise<SimulatedEvent[]> {
  const { events } = await readShaped(io, file, Events)
  const found: string[] = []
  for (const [at, event] of events.entries()) {
    const type = (event as { type?: unknown } | null)?.type
    const shape =
      typeof type === 'string' ? Object.entries(eventShapes).find(([name]) => name === type)?.[1] : undefined
    if (shape) found.push(...(await mistakes(shape, event, `/events/${at}`)))
    else found.push(`/events/${at}/type must be one of ${eventTypes.join(', ')}`)
  }
  if (found.length > 0) throw wrong(file, found)
  return events as SimulatedEvent[]
}

/** A usage error for what is wrong in a file, each by its pointer. */
export const wrong = (file: string, found: readonly string[]) =>
  usage(
    `${file} is not right:`,
    found.slice(0, 20).map((each) => `  ${each}`),
  )

const compiled = new WeakMap<TSchema, (value: unknown) => string[]>()

async function mistakes(shape: TSchema, value: unknown, prefix: string): Promise<string[]> {
  let check = compiled.get(shape)
  if (!check) {
    const { createAjv, fieldErrors } = await import('../../shared/http/validation.ts')
    const validate = createAjv().compile(shape)
    check = (given) =>
      validate(given)
        ? []
        : fieldErrors(validate.errors ?? [], 'body').map(({ pointer, message }) => `${pointer}\0${message}`)
    compiled.set(shape, check)
  }
  return check(value).map((each) => {
    const [pointer = '', message = ''] = each.split('\0')
    return `${prefix}${pointer || (prefix ? '' : 'the document')} ${message}`
  })
}
