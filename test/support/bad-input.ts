/** From a good body and its JSON Schema: bodies that are wrong in one place each, and the pointer to that place. */

export interface Wrong {
  /** What is wrong with it, for the name of the test. */
  readonly what: string
  readonly pointer: string
  /** The JSON text, for a body may be wrong as text alone. */
  readonly text: string
}

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly [limit: string]: unknown
}

type Path = readonly (string | number)[]

/** Every single fault that the schema forbids at the places where `good` has a value. */
export function wrongBodies(good: unknown, schema: Schema, resolve: (ref: string) => Schema): Wrong[] {
  const found: Wrong[] = []
  const put = (what: string, path: Path, value: unknown, at: Path = path) =>
    found.push({ what: `${what} at ${pointerOf(path)}`, pointer: pointerOf(path), text: textWith(good, at, value) })

  const visit = (value: unknown, given: Schema, path: Path): void => {
    const named = given.$ref === undefined ? given : resolve(given.$ref)
    const schema = withoutNull(named)
    put('wrong type', path, wrongType(schema))
    for (const [what, bad] of beyondLimits(value, schema)) put(what, path, bad)
    if (Array.isArray(value)) {
      if (schema.uniqueItems) put('the same item twice', path, [...value, value[0]])
      value.forEach((item, index) => {
        visit(item, schema.items ?? {}, [...path, index])
      })
    } else if (typeof value === 'object' && value !== null) visitObject(value as Record<string, unknown>, schema, path)
  }

  const visitObject = (value: Record<string, unknown>, schema: Schema, path: Path): void => {
    put('unknown field', [...path, 'NO such/field'], { ...value, 'NO such/field': 'x' }, path)
    for (const name of schema.required ?? []) {
      const { [name]: _, ...rest } = value
      put('missing field', [...path, name], rest, path)
    }
    for (const [name, item] of Object.entries(value)) {
      found.push(doubled(good, path, name, item))
      visit(item, propertyOf(schema, name), [...path, name])
    }
  }

  visit(good, schema, [])
  return found
}

function propertyOf(schema: Schema, name: string): Schema {
  const own = schema.properties?.[name] ?? Object.values(schema.patternProperties ?? {})[0]
  if (own) return own
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties
  throw new Error(`the schema has no ${name}: is the good body good?`)
}

/** Of what may be null as well: all that is wrong with the other is wrong with this too. */
function withoutNull(schema: Schema): Schema {
  const [only, ...others] = schema.anyOf?.filter(({ type }) => type !== 'null') ?? []
  return only && others.length === 0 ? only : schema
}

/** A value of another type that some reader might take for the right one. */
function wrongType({ type, anyOf }: Schema): unknown {
  if (type === 'string') return 12
  if (type === 'number' || type === 'integer') return '2'
  if (type === 'boolean') return 'true'
  if (type === 'array') return {}
  return anyOf ? { x: 1 } : []
}

function* beyondLimits(value: unknown, schema: Schema): Generator<[string, unknown]> {
  const limit = (name: string) => schema[name] as number | undefined
  const { minimum, maximum } = { minimum: limit('minimum'), maximum: limit('maximum') }
  if (minimum !== undefined) yield ['below the minimum', minimum - 1]
  if (maximum !== undefined) yield ['above the maximum', maximum + 1]
  if (limit('exclusiveMinimum') !== undefined) yield ['at the excluded minimum', schema.exclusiveMinimum]
  if (schema.type === 'integer') yield ['a fraction', 1.5]
  if (limit('maxLength') !== undefined) yield ['too long', 'a'.repeat((limit('maxLength') ?? 0) + 1)]
  if (limit('minLength') !== undefined || schema.pattern !== undefined) yield ['empty', '']
  if (schema.pattern !== undefined || schema.format !== undefined) {
    yield ['a control character', 'a\u0000\u001b[2J']
    yield ['half a character', 'a\ud800']
  }
  if (limit('minItems') !== undefined) yield ['empty', []]
  if (limit('maxItems') !== undefined && Array.isArray(value))
    yield ['too many', Array.from({ length: (limit('maxItems') ?? 0) + 1 }, () => value[0])]
  if (schema.anyOf?.every((each) => 'const' in each)) yield ['none of the words', 'NO such word']
}

/** The same key twice in the object at `path`: only the text can have that, a value cannot. */
function doubled(good: unknown, path: Path, name: string, value: unknown): Wrong {
  const mark = 'THE DOUBLED KEY'
  const text = textWith(good, path, { ...(valueAt(good, path) as object), [mark]: value })
  const pointer = pointerOf([...path, name])
  return { what: `key twice at ${pointer}`, pointer, text: text.replace(mark, name) }
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce((here, step) => (here as Record<string | number, unknown>)[step], value)

function textWith(good: unknown, path: Path, replacement: unknown): string {
  const change = (value: unknown, depth: number): unknown => {
    if (depth === path.length) return replacement
    const step = path[depth] ?? ''
    const inner = change((value as Record<string | number, unknown>)[step], depth + 1)
    return Array.isArray(value) ? value.with(Number(step), inner) : { ...(value as object), [step]: inner }
  }
  return JSON.stringify(change(good, 0))
}

function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
