/** Protobuf as it stands on the wire: numbered parts, each a number or bytes. What they mean is said elsewhere. */
import { isUtf8 } from 'node:buffer'

/** A part of a message; `undefined` for the fixed widths, which no field that is read here has. */
export interface Part {
  readonly number: number
  readonly value: bigint | Buffer | undefined
}

const widths = new Map([
  [1, 8],
  [5, 4],
])

/** The parts in their order. Throws `RangeError` where the bytes break off or are no message. */
export function* partsOf(bytes: Buffer): Generator<Part> {
  let at = 0
  const take = (size: number) => {
    if (size > bytes.length - at) throw new RangeError('the body ends within a field')
    at += size
    return bytes.subarray(at - size, at)
  }
  const varint = () => {
    const { value, end } = varintAt(bytes, at)
    at = end
    return value
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    const wire = Number(tag & 7n)
    if (number < 1 || number >= 2 ** 29) throw new RangeError('a field has an impossible number')
    if (wire === 0) yield { number, value: varint() }
    else if (wire === 2) yield { number, value: take(Number(varint())) }
    else {
      const width = widths.get(wire)
      if (width === undefined) throw new RangeError(`field ${number} is of wire type ${wire}, which is not used`)
      take(width)
      yield { number, value: undefined }
    }
  }
}

/** The numbers of a packed list. */
export function* numbersOf(bytes: Buffer): Generator<bigint> {
  for (let at = 0; at < bytes.length; ) {
    const { value, end } = varintAt(bytes, at)
    at = end
    yield value
  }
}

function varintAt(bytes: Buffer, start: number): { value: bigint; end: number } {
  let value = 0n
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) throw new RangeError('the body ends within a number')
    value |= BigInt(byte & 0x7f) << BigInt(7 * index)
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: start + index + 1 }
  }
  throw new RangeError('a number is longer than ten bytes')
}

export function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new RangeError('a text is not UTF-8')
  return bytes.toString('utf8')
}
