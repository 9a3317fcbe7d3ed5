/** ajv, set so that nothing is dropped, coerced or defaulted; its findings become pointers a caller can act on. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { parseCidr } from '../kubernetes/addresses.ts'
import { escapePointer } from '../pointer.ts'
import type { FieldError } from '../problem.ts'
import { isQuantity } from '../quantity.ts'

const instantPattern = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** JavaScript reads 30 February as 2 March and PostgreSQL refuses it: an instant must be written as it is. */
function isInstant(text: string): boolean {
  const ms = instantPattern.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19)
}

/** Of the configuration. */
function isCidrList(text: string): boolean {
  try {
    return text.split(',').every(parseCidr)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The formats of the contract and of the configuration. */
export const fieldFormats = {
  'kubernetes-quantity': isQuantity,
  'date-time-utc': isInstant,
  'cidr-list': isCidrList,
  email: fullFormats.email as RegExp,
}

/** A fresh ajv with our formats. All errors are collected: sizes are bounded by the schemas and the body limit. */
export function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    strict: true,
    strictTypes: false,
    formats: fieldFormats,
  })
  ajv.addKeyword(accepted)
  return ajv
}

/** An annotation: what a pattern says in words. */
const accepted = 'x-accepted'

/**
 * What ajv found in `part` of the request, one entry a field, most telling first; at most 50. What stands there is told with
 * what is accepted, but where `isTold` is false: configuration has secrets.
 */
export function fieldErrors(errors: readonly ErrorObject[], part: string, isTold = true): FieldError[] {
  const prefix = part === 'body' ? '' : `/${part === 'querystring' ? 'query' : part}`
  const found = new Map<string, string>()
  for (const error of errors) {
    // A value that matches none of several shapes is reported once, as such, not once per shape.
    if (/\/anyOf\/\d+\//.test(error.schemaPath)) continue
    const pointer = prefix + error.instancePath + extraSegment(error)
    if (!found.has(pointer)) found.set(pointer, messageOf(error) + (isTold ? givenOf(error) : ''))
  }
  return [...found].slice(0, 50).map(([pointer, message]) => ({ pointer, message }))
}

function extraSegment(error: ErrorObject): string {
  const name = error.params.missingProperty ?? error.params.additionalProperty ?? error.params.unevaluatedProperty
  return typeof name === 'string' ? `/${escapePointer(name)}` : ''
}

function messageOf(error: ErrorObject): string {
  switch (error.keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return 'is not a field we know'
    case 'const':
      return `must be ${JSON.stringify(error.params.allowedValue)}`
    case 'anyOf': {
      const shapes = (error.schema as { const?: unknown; type?: string }[]).map((s) =>
        'const' in s ? JSON.stringify(s.const) : s.type,
      )
      return `must be one of ${shapes.join(', ')}`
    }
    case 'format':
      return error.params.format === 'kubernetes-quantity'
        ? 'must be a Kubernetes quantity, such as 500m or 2Gi'
        : error.params.format === 'date-time-utc'
          ? 'must be an instant in UTC, such as 2027-01-01T00:00:00Z'
          : `must be of format ${error.params.format}`
    case 'pattern': {
      // Our own words say what a person can do about it; the expression stands in the document.
      const { description, [accepted]: words } = error.parentSchema as Annotated
      if (words !== undefined) return `must be ${words}`
      return description === undefined ? (error.message ?? 'is not valid') : `must be: ${description}`
    }
    case 'type':
      return typeMessage(error)
    case 'minimum':
      return `must be at least ${error.params.limit}`
    case 'maximum':
      return `must be at most ${error.params.limit}`
    case 'minLength':
      return `must be at least ${counted(error.params.limit, 'character')}`
    case 'maxLength':
      return `must be at most ${counted(error.params.limit, 'character')}`
    case 'minItems':
      return `must be a list of at least ${counted(error.params.limit, 'item')}`
    case 'maxItems':
      return `must be a list of at most ${counted(error.params.limit, 'item')}`
    case 'uniqueItems':
      return `must be a list without repetition: items ${sameItems(error).join(' and ')} are the same`
    default:
      return error.message ?? 'is not valid'
  }
}

/** From one, the first of them first. */
const sameItems = ({ params }: ErrorObject): number[] =>
  [params['i'] as number, params['j'] as number].sort((a, b) => a - b).map((index) => index + 1)

interface Annotated {
  readonly description?: string
  readonly [accepted]?: string
  readonly writeOnly?: boolean
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

const longestTold = 60

/** `, and is "x"`: what was sent, as far as that says anything and may be told. */
function givenOf({ keyword, data, parentSchema }: ErrorObject): string {
  if (/^(min|max)Items$/.test(keyword)) return `, and has ${(data as readonly unknown[]).length}`
  if (/^(min|max)Length$/.test(keyword)) return `, and has ${[...(data as string)].length}`
  if (!/^(pattern|format|minimum|maximum|const|anyOf)$/.test(keyword) || (typeof data === 'object' && data !== null))
    return ''
  if (typeof data !== 'string') return `, and is ${JSON.stringify(data)}`
  if ((parentSchema as Annotated).writeOnly)
    return `, and is something else, of ${counted([...data].length, 'character')}`
  // A password in an address is nobody's to read, whatever is wrong with it.
  const open = [...data.replace(/\/\/[^/\s]*@/g, '//…@')]
  return `, and is ${JSON.stringify(open.slice(0, longestTold).join(''))}${open.length > longestTold ? '…' : ''}`
}

const typeNames: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object: fields with their values',
  array: 'a list',
}

/** YAML takes 1200, true and what is not there for no text. */
function typeMessage({ params, data }: ErrorObject): string {
  const type = String(params.type)
  const wanted = `must be ${typeNames[type] ?? type}`
  if (data === null) return `${wanted}, and nothing is given`
  return type === 'string' && typeof data !== 'object' ? `${wanted}: in quotes, "${data}"` : wanted
}
