/** The messages of Kubernetes whose JSON is a value of its own, such as a quantity or a time. */
import { textOf } from './protobuf-wire.ts'

interface Value {
  /** As in `protobuf-fields.json`. */
  readonly fields: string
  readonly toJson: (message: Parts) => unknown
}

interface Parts {
  readonly text?: string
  readonly isText?: number
  readonly number?: number
  readonly seconds?: number
  readonly nanos?: number
  readonly raw?: Buffer
}

export const values: ReadonlyMap<string, Value> = new Map([
  ['Quantity', { fields: '1 text string', toJson: ({ text = '0' }) => text }],
  [
    'IntOrString',
    {
      fields: '1 isText int, 2 number int, 3 text string',
      toJson: ({ isText = 0, number = 0, text = '' }) => (isText === 0 ? number : text),
    },
  ],
  ['Time', { fields: '1 seconds int, 2 nanos int', toJson: (time) => moment(time, 0) }],
  ['MicroTime', { fields: '1 seconds int, 2 nanos int', toJson: (time) => moment(time, 6) }],
  ['Raw', { fields: '1 raw buffer', toJson: ({ raw }) => (raw?.length ? parseJson(textOf(raw)) : null) }],
] satisfies [string, Value][])

/** RFC 3339; null for the moment that was never set, which is sent as an empty message. */
function moment({ seconds, nanos = 0 }: Parts, decimals: number): string | null {
  if (seconds === undefined) return null
  const text = new Date(seconds * 1000).toISOString()
  // Years of more than four digits make it longer.
  if (text.length !== 24 || nanos < 0 || nanos >= 1e9) throw new RangeError('a time is none that can be written')
  const fraction = decimals === 0 ? '' : `.${String(nanos).padStart(9, '0').slice(0, decimals)}`
  return `${text.slice(0, 19)}${fraction}Z`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RangeError(`JSON within the protobuf cannot be read: ${(error as Error).message}`)
  }
}
