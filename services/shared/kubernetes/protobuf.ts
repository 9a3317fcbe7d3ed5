/**
 * Reads the protobuf in which typed clients send objects, kubectl's `create` and Helm's releases among them, as the JSON
 * that they would have sent otherwise. `protobuf-fields.json` says what the fields are.
 */
import { readFileSync } from 'node:fs'
import { values } from './protobuf-values.ts'
import { numbersOf, partsOf, textOf } from './protobuf-wire.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from('k8s\0')

interface Field {
  /** `~` when the fields of the value are the holder's own, `=` when the message is nothing but this value. */
  readonly name: string
  readonly type: string
  readonly shape: 'one' | 'list' | 'map'
  /** Sent even when it is empty, and then not in JSON. */
  readonly isDroppedWhenEmpty: boolean
}

/** What is around an object. */
const envelope = {
  Unknown: '1 typeMeta TypeMeta, 2 raw buffer, 3 contentEncoding string, 4 contentType string',
  TypeMeta: '1 apiVersion string, 2 kind string',
}

const messages = readTable()

function readTable(): ReadonlyMap<string, ReadonlyMap<number, Field>> {
  const file = new URL('protobuf-fields.json', import.meta.url)
  const table = JSON.parse(readFileSync(file, 'utf8')) as { messages: Record<string, string> }
  const special = Object.fromEntries([...values].map(([name, { fields }]) => [name, fields]))
  const all = { ...table.messages, ...envelope, ...special }
  return new Map(Object.entries(all).map(([message, fields]) => [message, new Map(fields.split(', ').map(fieldIn))]))
}

/** From `number name type`: a list is `type*`, a map by text `{type}`, what is dropped when empty `type?`. */
function fieldIn(text: string): [number, Field] {
  const [number = '', name = '', written = ''] = text.split(' ')
  const shape = written.endsWith('*') ? 'list' : written.startsWith('{') ? 'map' : 'one'
  const type = written.replaceAll(/[{}*?]/g, '')
  return [Number(number), { name, type, shape, isDroppedWhenEmpty: written.endsWith('?') }]
}

/** Throws `RangeError` on what is no such message, or a kind that is not served. */
export function readProtobuf(bytes: Buffer): Record<string, unknown> {
  if (!bytes.subarray(0, magic.length).equals(magic))
    throw new RangeError('the body does not begin as an object in protobuf')
  const { typeMeta, raw, contentEncoding, contentType } = readMessage('Unknown', bytes.subarray(magic.length)) as {
    typeMeta?: { apiVersion?: string; kind?: string }
    raw?: Buffer
    contentEncoding?: string
    contentType?: string
  }
  if (contentEncoding || (contentType && contentType !== protobufType))
    throw new RangeError('what is within the protobuf is something else')
  const { apiVersion = '', kind = '' } = typeMeta ?? {}
  // Every group has the options of a deletion, and means the same by them.
  const message = kind === 'DeleteOptions' ? 'meta/v1.DeleteOptions' : `${apiVersion}.${kind}`
  if (!messages.has(message)) throw new RangeError(`${apiVersion} ${kind} is not read in protobuf here: send JSON`)
  return { apiVersion, kind, ...(readMessage(message, raw ?? Buffer.alloc(0)) as object) }
}

/** Ends, because no message of Kubernetes that is read here holds one of its own kind. */
function readMessage(message: string, bytes: Buffer): unknown {
  const fields = messages.get(message)
  if (!fields) throw new RangeError(`${message} is not read in protobuf here: send JSON`)
  const found = new Map<string, unknown>()
  for (const { number, value } of partsOf(bytes)) {
    const field = fields.get(number)
    // A real API server, too, passes over what is newer than itself.
    if (!field) continue
    if (value === undefined) throw wrongWire(field)
    add(found, field, value)
  }
  const object = Object.fromEntries([...found].map(([name, value]) => [name, plain(value)]))
  const special = values.get(message)
  if (special) return special.toJson(object)
  return fields.get(1)?.name === '=' ? (object['='] ?? []) : object
}

function add(found: Map<string, unknown>, field: Field, value: bigint | Buffer): void {
  const { name, type, shape, isDroppedWhenEmpty } = field
  if (shape === 'list') {
    const list = (found.get(name) ?? []) as unknown[]
    found.set(name, list)
    if (type !== 'int' || typeof value === 'bigint') list.push(readValue(field, value))
    else for (const each of numbersOf(value)) list.push(readValue(field, each))
  } else if (shape === 'map') {
    const entries = (found.get(name) ?? new Map()) as Map<string, unknown>
    found.set(name, entries)
    entries.set(...entryOf(field, value))
  } else if (name === '~') {
    for (const [inner, each] of Object.entries(readValue(field, value) as object)) found.set(inner, each)
  } else {
    const one = readValue(field, value)
    if (isDroppedWhenEmpty && (one === '' || one === 0 || one === false || one === null)) found.delete(name)
    else found.set(name, one)
  }
}

function entryOf(field: Field, entry: bigint | Buffer): [string, unknown] {
  if (typeof entry === 'bigint') throw wrongWire(field)
  let key = ''
  let found: bigint | Buffer = Buffer.alloc(0)
  for (const { number, value } of partsOf(entry)) {
    if (number === 1 && value instanceof Buffer) key = textOf(value)
    else if (number === 2 && value !== undefined) found = value
    else throw wrongWire(field)
  }
  return [key, readValue(field, found)]
}

function readValue(field: Field, value: bigint | Buffer): unknown {
  const { type } = field
  const isNumber = type === 'int' || type === 'bool'
  if (isNumber !== (typeof value === 'bigint')) throw wrongWire(field)
  if (typeof value === 'bigint') return type === 'bool' ? value !== 0n : Number(BigInt.asIntN(64, value))
  if (type === 'string') return textOf(value)
  if (type === 'bytes') return value.toString('base64')
  return type === 'buffer' ? value : readMessage(type, value)
}

const wrongWire = ({ name }: Field) => new RangeError(`${name} is not of the type that it should be`)

/** Maps become objects only when they are whole: adding to an object bit by bit takes the square of its size. */
const plain = (value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value)
