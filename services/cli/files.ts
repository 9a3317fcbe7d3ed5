/** Files that a person hands in: bounded in size, YAML without aliases, and errors that name the place. */
import { readFileSync, statSync } from 'node:fs'
import type { YAMLParseError } from 'yaml'
import { usage } from './errors.ts'
import type { Io } from './io.ts'

export const limitBytes = { request: 1_048_576, manifests: 4_194_304, kubeconfig: 65_536 } as const

/** The text of a file, `-` being standard input. Throws a usage error when it cannot be read, is empty or too large. */
export async function readText(io: Io, file: string, limit: number): Promise<string> {
  const text = file === '-' ? await io.stdin(limit) : textOf(file, limit)
  if (text.trim() === '') throw usage(`${nameOf(file)} is empty`)
  return text
}

const unreadable: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder; name a file in it',
  EACCES: 'you may not read it',
}

function textOf(file: string, limit: number): string {
  try {
    if (statSync(file).size > limit) throw tooLarge(file, limit)
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (typeof code !== 'string') throw error
    throw usage(`${file} cannot be read: ${unreadable[code] ?? code}`)
  }
}

/** As a message names it. */
export const nameOf = (file: string) => (file === '-' ? 'standard input' : file)

/** All of a stream as text; a usage error when it is more than `limit` bytes. */
export async function readAll(stream: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > limit) throw tooLarge('standard input', limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLarge = (what: string, limit: number) => usage(`${what} is larger than ${limit / 1024} KiB`)

/** Every document of a YAML (or JSON) text, the empty ones left out. Aliases, duplicate keys and bad syntax are errors. */
export async function parseDocuments(text: string, file: string): Promise<unknown[]> {
  const { parseAllDocuments } = await import('yaml')
  const name = nameOf(file)
  try {
    const documents = parseAllDocuments(text, { prettyErrors: true, logLevel: 'error' })
    if (!Array.isArray(documents)) return []
    return documents.flatMap((document) => {
      const [error] = document.errors
      if (error) throw usage(`${name} is no valid YAML${placeOf(error)}: ${shortened(error.message)}`)
      const value: unknown = document.toJS({ maxAliasCount: 0 })
      return value === null || value === undefined ? [] : [value]
    })
  } catch (error) {
    if (error instanceof ReferenceError) throw usage(`${name} uses YAML aliases (*name), which are not read here`)
    if (error instanceof RangeError) throw usage(`${name} is nested too deep`)
    throw error
  }
}

const placeOf = ({ linePos }: YAMLParseError): string =>
  linePos === undefined ? '' : ` at line ${linePos[0].line}, column ${linePos[0].col}`

/** Without the place, which was said, and without the whole text in which it stands. */
function shortened(message: string): string {
  const [first = ''] = message.split('\n')
  const what = first.replace(/ at line \d+, column \d+:?$/, '')
  return what.length > 120 ? `${what.slice(0, 120)}…` : what
}

/** The one object that a file holds. */
export async function readObject(io: Io, file: string): Promise<Record<string, unknown>> {
  const documents = await parseDocuments(await readText(io, file, limitBytes.request), file)
  const [value] = documents
  if (documents.length !== 1) throw usage(`${nameOf(file)} holds ${documents.length} documents; one is expected`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usage(`${nameOf(file)} must hold an object: fields with their values`)
  }
  return value as Record<string, unknown>
}
