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
  return new Ajv2020({
    allErrors: true,
    verbose: true,
    removeAdditional: false,
    coerceTypes: false,
    useDefaults: false,
    strict: true,
    strictTypes: false,
    formats: fieldFormats,
  })
}

/** What ajv found in `part` of the request, one entry a field, most telling first; at most 50. */
export function fieldErrors(errors: readonly ErrorObject[], part: string): FieldError[] {
  const prefix = part === 'body' ? '' : `/${part === 'querystring' ? 'query' : part}`
  const found = new Map<string, string>()
  for (const error of errors) {
    // A value that matches none of several shapes is reported once, as such, not once per shape.
    if (/\/anyOf\/\d+\//.test(error.schemaPath)) continue
    const pointer = prefix + error.instancePath + extraSegment(error)
    if (!found.has(pointer)) found.set(pointer, messageOf(error))
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
      const { description } = error.parentSchema as { description?: string }
      return description === undefined ? (error.message ?? 'is not valid') : `must be: ${description}`
    }
    case 'type':
      return typeMessage(error)
    case 'minimum':
      return `must be at least ${error.params.limit}`
    case 'maximum':
      return `must be at most ${error.params.limit}`
    default:
      return error.message ?? 'is not valid'
  }
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
