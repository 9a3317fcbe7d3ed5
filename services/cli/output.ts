/** `--output`: the same result as a table for people, or as JSON or YAML for programs. */
import type { Io } from './io.ts'
import { printable } from './text.ts'

export const outputs = ['table', 'json', 'yaml'] as const
export type Output = (typeof outputs)[number]

/** Writes `value` in the form asked for; `table` is called only for a table and gives whole lines. */
export async function show(io: Io, output: Output, value: unknown, table: () => string): Promise<void> {
  if (output === 'json') io.out(`${jsonText(value, 2)}\n`)
  else if (output === 'yaml') io.out(await yamlText(value))
  else io.out(table())
}

/** One of many that come as time goes on: JSON of a line each, YAML a document each; `table` gives whole lines. */
export async function showPiece(io: Io, output: Output, value: unknown, table: () => string): Promise<void> {
  if (output === 'json') io.out(`${jsonText(value)}\n`)
  else if (output === 'yaml') io.out(`---\n${await yamlText(value)}`)
  else io.out(table())
}

/** JSON in which also those characters are escaped that JSON lets pass and a terminal obeys; it reads back the same. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).split('\n').map(printable).join('\n')
}

/** YAML of one document, escaped in the same way. */
export async function yamlText(value: unknown): Promise<string> {
  const { Document, isScalar, visit } = await import('yaml')
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string' && printable(node.value) !== node.value) {
        node.type = 'QUOTE_DOUBLE'
      }
    },
  })
  // Only in double quotes can a character stand that printable writes as \uXXXX, and there YAML reads that back.
  return document.toString({ lineWidth: 0 }).split('\n').map(printable).join('\n')
}
