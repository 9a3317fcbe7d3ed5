/** YAML from outside: no anchors, aliases or tags, no repeated keys, keys are text, nothing deep. */
import { type Document, isAlias, isMap, isScalar, isSeq, Lexer, type Node, parseDocument } from 'yaml'
import type { FieldError } from '../problem.ts'

export type Value = string | number | bigint | boolean | null | readonly Value[] | ReadonlyMap<string, Value>
export type Read = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly errors: FieldError[] }

const deepest = 64
/**
 * The parser takes its time per part and per mistake, not per byte: 64 KiB of brackets are 65,000 of both. A kubeconfig of
 * 64 KiB whose certificates are inline has some 2,000 parts, and a writer that escapes every `/` of base64 1,000 escapes.
 */
const mostParts = 4_000
const mostEscapes = 2_000

/** Maps are JavaScript maps, so that no key has a meaning to JavaScript. The caller bounds the size of `text`. */
export function readStrictYaml(text: string): Read {
  if (isLaborious(text)) return failed('', `more than ${mostParts} words and signs, or ${mostEscapes} escapes`)
  let document: Document.Parsed
  try {
    // Repeated keys are found below, where they have a pointer; the parser compares every pair.
    document = parseDocument(text, { schema: 'core', uniqueKeys: false, prettyErrors: false })
  } catch (error) {
    if (error instanceof RangeError) return failed('', 'nested too deep')
    throw error
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) return failed('', `not the YAML we read: ${problem.message.slice(0, 200)}`)
  const errors: FieldError[] = []
  const value = convert(document.contents, '', 0, errors)
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value }
}

/** Reads no further than the limit. */
function isLaborious(text: string): boolean {
  if (text.split('\\', mostEscapes + 2).length > mostEscapes + 1) return true
  const parts = new Lexer().lex(text)
  let count = 0
  while (count <= mostParts && !parts.next().done) count++
  return count > mostParts
}

function failed(pointer: string, message: string): Read {
  return { ok: false, errors: [{ pointer, message }] }
}

function convert(node: unknown, pointer: string, depth: number, errors: FieldError[]): Value {
  const refuse = (message: string) => {
    errors.push({ pointer, message })
    return null
  }
  if (depth > deepest) return refuse(`nested more than ${deepest} deep`)
  if (isAlias(node)) return refuse('aliases are not accepted')
  const { anchor, tag } = (node ?? {}) as Partial<Node> & { anchor?: string }
  if (anchor !== undefined) return refuse('anchors are not accepted')
  if (tag !== undefined && !isMap(node) && !isSeq(node)) return refuse('tags are not accepted')
  if (isScalar(node)) return node.value as Value
  if (isSeq(node)) return node.items.map((item, index) => convert(item, `${pointer}/${index}`, depth + 1, errors))
  if (!isMap(node)) return null
  const map = new Map<string, Value>()
  for (const { key, value } of node.items) {
    if (!isScalar(key) || typeof key.value !== 'string' || key.anchor !== undefined) refuse('a key is not text')
    else {
      const at = `${pointer}/${pointerToken(key.value)}`
      if (map.has(key.value)) errors.push({ pointer: at, message: 'given twice' })
      map.set(key.value, convert(value, at, depth + 1, errors))
    }
  }
  return map
}

/** A key as part of a JSON Pointer (RFC 6901), bounded and without control characters. */
export function pointerToken(key: string): string {
  return key.slice(0, 60).replaceAll(/\p{C}/gu, '�').replaceAll('~', '~0').replaceAll('/', '~1')
}
