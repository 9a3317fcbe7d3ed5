/** Back from the gateway's resourceVersions to those of one cluster, in what a client sends. Pure. */
import { protobufType, readProtobuf } from '../shared/kubernetes/protobuf.ts'
import { ownVersion } from './fanout/cursor.ts'
import { refusal } from './status.ts'

export interface Content {
  readonly body: Buffer
  readonly type: string | undefined
}

/** `"resourceVersion": "1…"` in JSON, and the same in YAML; what stands escaped within a string is not meant. */
const inText = /(?<![\\\w])(["']?)resourceVersion\1(\s*:\s*)(["']?)(1[0-9]{52,})\3/g
const patchTest = /("path"\s*:\s*"\/metadata\/resourceVersion"[^{}]*?"value"\s*:\s*")(1[0-9]{52,})(")/g
const longNumber = /1[0-9]{52}/

/** Every resourceVersion that a watch of the gateway gave, as its own cluster knows it. Throws 415 where that cannot be said. */
export function ownVersions({ body, type }: Content): Content {
  if (!longNumber.test(body.toString('latin1'))) return { body, type }
  if (type?.startsWith(protobufType)) return { body: replaced(JSON.stringify(decoded(body))), type: 'application/json' }
  if (/protobuf|cbor/.test(type ?? '')) throw notInBinary()
  return { body: replaced(body.toString('utf8')), type }
}

function replaced(text: string): Buffer {
  const own = (found: string) => ownVersion(found) ?? found
  return Buffer.from(
    text
      .replaceAll(
        inText,
        (_, quote, colon, _mark, version) => `${quote}resourceVersion${quote}${colon}"${own(version)}"`,
      )
      .replaceAll(patchTest, (_, before, version, after) => before + own(version) + after),
  )
}

/** The object in protobuf. Throws 415 on a kind that is not known here. */
export function decoded(body: Buffer): Record<string, unknown> {
  try {
    return readProtobuf(body)
  } catch (error) {
    if (error instanceof RangeError) throw notInBinary()
    throw error
  }
}

const notInBinary = () => refusal(415, 'this is read here as application/json alone')

/** The query of a request for one object. */
export function ownQuery(query: URLSearchParams): URLSearchParams {
  const version = query.get('resourceVersion')
  const own = version === null ? undefined : ownVersion(version)
  if (own === undefined) return query
  const changed = new URLSearchParams(query)
  if (own === '0') changed.delete('resourceVersion')
  else changed.set('resourceVersion', own)
  return changed
}
