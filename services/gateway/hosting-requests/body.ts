/** What a client sends as an object or a patch, in the forms of Kubernetes; text as JSON or as plain YAML. */
import { readStrictYaml, type Value } from '../../shared/kubernetes/strict-yaml.ts'
import { type Exchange, requestBody, requestJson } from '../exchange.ts'
import { refusal } from '../status.ts'

export type Json = Record<string, unknown>

export type Patch = { readonly how: 'apply' | 'merge'; readonly body: Json }

const merges = new Set(['application/merge-patch+json', 'application/strategic-merge-patch+json'])

/** A strategic patch of labels and annotations is a merge. Throws 415 on patches of other kinds. */
export async function readPatch(exchange: Exchange): Promise<Patch> {
  const type = (exchange.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  const how = type === 'application/apply-patch+yaml' ? 'apply' : merges.has(type) ? 'merge' : undefined
  if (how === undefined) throw refusal(415, `${type.slice(0, 60)} is not read here; send a merge patch, or apply`)
  return { how, body: objectIn((await requestBody(exchange)).toString('utf8'), 'the body') }
}

export const readObject = (exchange: Exchange): Promise<Json> => requestJson(exchange)

/** Throws 400 when it is no object. `what`: how to call it. */
export function objectIn(text: string, what: string): Json {
  const value = jsonIn(text) ?? yamlIn(text, what)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw refusal(400, `${what} is no object`)
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function yamlIn(text: string, what: string): unknown {
  const read = readStrictYaml(text)
  if (read.ok) return plain(read.value)
  throw refusal(
    400,
    `${what} cannot be read: ${read.errors.map(({ pointer, message }) => `${pointer} ${message}`.trim()).join('; ')}`,
  )
}

function plain(value: Value): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]))
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'bigint' ? Number(value) : value
}

/** Whether nothing is to be done but to answer as if it were. Throws 400 on what it cannot be. */
export function isDry(query: URLSearchParams): boolean {
  const dry = query.get('dryRun')
  if (dry !== null && dry !== 'All') throw refusal(400, 'dryRun must be All')
  return dry === 'All'
}

/** The part of an object with this name. Throws 400 when it is something else than an object. */
export function partOf(body: Json, name: string): Json {
  const part = body[name] ?? {}
  if (typeof part === 'object' && !Array.isArray(part)) return part as Json
  throw refusal(400, `${name} must be an object`)
}
