/** JSON as RFC 8259 wants it to be sent: no duplicate keys, bounded depth; JSON.parse alone takes the last of two equal keys. */
import { escapePointer } from '../pointer.ts'
import { type FieldError, Problem } from '../problem.ts'

const maxDepth = 32

/** Parses a body. Throws `malformed-request`, with a pointer where a key is doubled or the nesting is too deep. */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Problem('malformed-request', `The body is not JSON: ${(error as Error).message}`)
  }
  const error = scan(text)
  if (error) throw new Problem('malformed-request', 'The body is JSON that could be read in two ways', [error])
  return value
}

interface Frame {
  readonly keys: Set<string> | undefined
  key: string
  index: number
}

/** Walks text that is known to be valid JSON and returns the first doubled or dangerous key, or too deep nesting. */
function scan(text: string): FieldError | undefined {
  const stack: Frame[] = []
  const pointer = () => stack.map((f) => `/${f.keys ? escapePointer(f.key) : f.index}`).join('')
  for (let i = 0; i < text.length; i++) {
    const top = stack.at(-1)
    switch (text[i]) {
      case '{':
      case '[':
        if (stack.length === maxDepth) return { pointer: pointer(), message: `is nested deeper than ${maxDepth}` }
        stack.push({ keys: text[i] === '{' ? new Set() : undefined, key: '', index: 0 })
        break
      case '}':
      case ']':
        stack.pop()
        break
      case ',':
        if (top) top.index++
        break
      case '"': {
        const end = endOfString(text, i)
        if (top?.keys && isKey(text, end)) {
          top.key = JSON.parse(text.slice(i, end + 1)) as string
          if (top.keys.has(top.key)) return { pointer: pointer(), message: 'stands twice in one object' }
          if (top.key === '__proto__') return { pointer: pointer(), message: 'is not a name we take' }
          top.keys.add(top.key)
        }
        i = end
        break
      }
    }
  }
  return undefined
}

function isKey(text: string, end: number): boolean {
  let i = end + 1
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++
  return text[i] === ':'
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
}
