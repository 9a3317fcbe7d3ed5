/** The few messages of the Container Runtime Interface that a guard sends and reads, as protobuf has them. */
import { type Part, partsOf, textOf } from '../../../shared/kubernetes/protobuf-wire.ts'

export interface Sandbox {
  readonly id: string
  readonly pod: string
  readonly namespace: string
  readonly isReady: boolean
  /** Of the pod. */
  readonly labels: ReadonlyMap<string, string>
}

export interface Container {
  readonly id: string
  readonly sandbox: string
  readonly name: string
  /** As the pod names it; beside it what the runtime made of that. */
  readonly images: readonly string[]
  /** `live`: created, running or not known to have ended. */
  readonly isLive: boolean
}

const exited = 2

/** An empty text and zero are left out, as proto3 does. */
export function encoded(...fields: readonly (readonly [number: number, value: string | number])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return value === 0 ? [] : [varint(number * 8), varint(value)]
      const bytes = Buffer.from(value)
      return bytes.length === 0 ? [] : [varint(number * 8 + 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

export const readSandboxes = (message: Buffer): Sandbox[] => messages(partsOf(message), 1).map(readSandbox)
export const readContainers = (message: Buffer): Container[] => messages(partsOf(message), 1).map(readContainer)

function readSandbox(message: Buffer): Sandbox {
  const parts = [...partsOf(message)]
  const metadata = [...partsOf(messages(parts, 2).at(-1) ?? Buffer.alloc(0))]
  return {
    id: text(parts, 1),
    pod: text(metadata, 1),
    namespace: text(metadata, 3),
    isReady: number(parts, 3) === 0,
    labels: new Map(
      messages(parts, 5).map((entry) => {
        const pair = [...partsOf(entry)]
        return [text(pair, 1), text(pair, 2)]
      }),
    ),
  }
}

function readContainer(message: Buffer): Container {
  const parts = [...partsOf(message)]
  const [metadata, image] = [3, 4].map((field) => [...partsOf(messages(parts, field).at(-1) ?? Buffer.alloc(0))])
  return {
    id: text(parts, 1),
    sandbox: text(parts, 2),
    name: text(metadata ?? [], 1),
    images: [text(image ?? [], 18), text(image ?? [], 1)].filter((name) => name !== ''),
    isLive: number(parts, 6) !== exited,
  }
}

/** Of the answer to a command that was run: zero is well. */
export const readExitCode = (message: Buffer): number => number([...partsOf(message)], 3)

function messages(parts: Iterable<Part>, wanted: number): Buffer[] {
  return [...parts].flatMap(({ number, value }) => (number === wanted && Buffer.isBuffer(value) ? [value] : []))
}

const text = (parts: readonly Part[], wanted: number): string =>
  textOf(messages(parts, wanted).at(-1) ?? Buffer.alloc(0))

function number(parts: readonly Part[], wanted: number): number {
  const found = parts.findLast((part) => part.number === wanted)?.value
  return typeof found === 'bigint' ? Number(BigInt.asIntN(32, found)) : 0
}
