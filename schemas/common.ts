/** Shapes that every resource shares: ids, names, quantities, periods, pages, problems. */
import Type, { type Static, type TSchema } from 'typebox'

/**
 * What a pattern says, in words that follow "must be": it is told to who sent something else, where the description says what
 * the field is for.
 */
export const accepts = (words: string) => ({ 'x-accepted': words })

/** Objects are closed: an unknown field is an error. */
export const closed = { additionalProperties: false } as const

export const id = (prefix: string) =>
  Type.String({
    pattern: `^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`,
    description: `Identifier, ${prefix}_ and 26 characters`,
    ...accepts(`an id: ${prefix}_ and 26 lower-case letters and digits`),
  })

/** A DNS label (RFC 1123): what Kubernetes accepts as a namespace name. */
export const DnsLabel = Type.String({
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  minLength: 1,
  maxLength: 63,
  description: 'Lower-case letters, digits and dashes, not at either end a dash',
  ...accepts('of lower-case letters, digits and dashes, not at either end a dash'),
})

/** Text for people: no control characters, so that a terminal or a log shows what was written. */
export const Text = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\p{C}]+$',
  description: 'Text without control characters',
  ...accepts('text of one line, without characters that nobody sees'),
})

/** Short keyword: evidence kinds, capabilities, failure domains. */
export const Keyword = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[a-z0-9][a-z0-9./+-]*$',
  description: 'One word of lower-case letters, digits and ./+-',
  ...accepts('one word of lower-case letters, digits and ./+-'),
})

export const Quantity = Type.String({
  format: 'kubernetes-quantity',
  minLength: 1,
  maxLength: 64,
  description: 'Kubernetes quantity, not negative: 500m, 1.5, 2Gi',
})

/**
 * A qualified name of Kubernetes: `cpu`, `memory`, `ephemeral-storage`, `pods`, `storage/<class>`, `vendor.example/device`.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
const resourceName = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
export const ResourceName = Type.String({
  pattern: resourceName,
  ...accepts('the name of a resource of Kubernetes, such as cpu or vendor.example/device'),
})
export const isResourceName = (text: string): boolean => new RegExp(resourceName).test(text)

/** Resource name → quantity. */
export const Quantities = Type.Record(ResourceName, Quantity, {
  ...closed,
  maxProperties: 32,
})

export const Instant = Type.String({ format: 'date-time-utc', description: 'RFC 3339 in UTC, ending in Z' })

/** Half-open; `end: null` is open. */
export const Period = Type.Object({ start: Instant, end: Type.Union([Instant, Type.Null()]) }, closed)

export const Position = Type.Object(
  {
    latitude: Type.Number({ minimum: 50, maximum: 54 }),
    longitude: Type.Number({ minimum: 3, maximum: 8 }),
  },
  closed,
)

/** BIV: availability, integrity, confidentiality; 1 low, 2 middle, 3 high. */
export const SecurityClasses = Type.Object(
  {
    availability: Type.Integer({ minimum: 1, maximum: 3 }),
    integrity: Type.Integer({ minimum: 1, maximum: 3 }),
    confidentiality: Type.Integer({ minimum: 1, maximum: 3 }),
  },
  closed,
)

/** What every stored resource carries beside its own fields. */
export const stamped = { createdAt: Instant, updatedAt: Instant }

/** A page of a list, of `limit` items or 2 MiB; `next` is the cursor of the following page and absent on the last. */
export const page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Type.Optional(Type.String()) }, closed)

export const PageQuery = {
  limit: Type.Optional(
    Type.String({
      pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
      description: '1 to 500; 50 when absent; a page ends at 2 MiB',
      ...accepts('a whole number from 1 to 500'),
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^[A-Za-z0-9_-]+$',
      ...accepts('what stood in `next` of the page before'),
    }),
  ),
}

export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    action: Type.String(),
    instance: Type.String(),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }, closed))),
  },
  closed,
)
export type ProblemBody = Static<typeof ProblemBody>

/** One of these words. */
export const oneOf = <const Word extends string>(words: readonly Word[], description: string) =>
  Type.Unsafe<Word>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      { description },
    ),
  )
