/**
 * How the guards of the nodes ask their agent: `POST /guard` to each address of the agent's replicas, of which one answers 200
 * and any other 503. Both ways are signed with a key that the two share, so that no third in the cluster can grant or stop
 * anything, and an answer counts for the question whose number it bears; what is said is no secret.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import Type from 'typebox'
import type { ActivityClass, GuardAnswer, GuardAsk } from '../../fallback/index.ts'
import { readGuardAnswer, readGuardAsk } from '../../fallback/wire/index.ts'

export const guardPath = '/guard'
/** The signature of the body, in either direction. */
export const signatureHeader = 'gemeentecloud-signature'
/** More than a thousand hostings on one node, or ten thousand in one datacenter. */
export const maxGuardBytes = 8 * 1024 * 1024

/** A namespace whose containers need a grant. */
export interface GuardedSpace {
  readonly namespace: string
  readonly hosting: string
  readonly activity: ActivityClass
}

export interface GuardReply {
  readonly answer: GuardAnswer
  /** All that are to be guarded here; containers of any other namespace are none of the guard's business. */
  readonly spaces: readonly GuardedSpace[]
  /** S of this datacenter: from a deadline until the last container is gone. */
  readonly stopMs: number
}

type Direction = 'ask' | 'reply'

/** Says which way it goes too, so that a question sent back is no answer. */
export function signed(key: Buffer, direction: Direction, body: string): string {
  return createHmac('sha256', key).update(`${direction}\n`).update(body).digest('hex')
}

export function isSigned(key: Buffer, direction: Direction, body: string, signature: string | undefined): boolean {
  const expected = Buffer.from(signed(key, direction, body), 'hex')
  const given = Buffer.from(signature ?? '', 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Undefined when it is no question. */
export function readAsk(body: string): GuardAsk | undefined {
  const read = readGuardAsk(body)
  return read.ok ? read.message : undefined
}

const name = Type.String({ minLength: 1, maxLength: 253 })
const isEnvelope = new Ajv2020({ strict: true, strictTypes: false }).compile(
  Type.Object({
    answer: Type.Object({}),
    spaces: Type.Array(Type.Object({ namespace: name, hosting: name, activity: Type.Enum(['exclusive', 'pinned']) }), {
      maxItems: 100_000,
    }),
    stopMs: Type.Number({ minimum: 0 }),
  }),
)

/** Undefined when it is no answer. */
export function readReply(body: string): GuardReply | undefined {
  const reply = parsed(body)
  if (!isEnvelope(reply)) return undefined
  const { answer, spaces, stopMs } = reply as unknown as GuardReply
  const read = readGuardAnswer(JSON.stringify(answer))
  return read.ok ? { answer: read.message, spaces, stopMs } : undefined
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    // Not JSON, so no answer.
    return undefined
  }
}
