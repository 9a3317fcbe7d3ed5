/** The body of a request: bounded, and read by its media type. */
import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { protobufType, readProtobuf } from '../../shared/kubernetes/protobuf.ts'
import { patchTypes } from './patch.ts'
import { badRequest, tooLong, unsupportedMediaType } from './status.ts'

const limitBytes = 3 * 2 ** 20
const documentTypes = ['application/json', 'application/yaml', protobufType]

/** `type` is without parameters, and JSON when none is named; undefined stands for an empty body. */
export async function readBody(request: IncomingMessage): Promise<{ type: string; value: unknown }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > limitBytes) throw tooLong(limitBytes)
    chunks.push(chunk)
  }
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() || 'application/json'
  const known: readonly string[] = request.method === 'PATCH' ? patchTypes : documentTypes
  if (bytes === 0) return { type, value: undefined }
  if (!known.includes(type)) throw unsupportedMediaType(type, known)
  const whole = Buffer.concat(chunks)
  try {
    if (type === protobufType) return { type, value: readProtobuf(whole) }
    const text = whole.toString('utf8')
    return { type, value: type.endsWith('yaml') ? parse(text) : JSON.parse(text) }
  } catch (error) {
    throw badRequest(`the body cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
}
