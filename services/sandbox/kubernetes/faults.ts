/** Ways in which a sandbox cluster can fail on demand. */
import Type, { type Static } from 'typebox'
import { createAjv } from '../../shared/http/validation.ts'

/**
 * `refuse` cuts every connection, `hang` answers nothing, `unavailable` says 503, `slow` answers after `delayMs`, `deny` refuses
 * every change, and `forget` ends the watches and forgets what they could resume from, once.
 */
export const Fault = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('refuse'),
      Type.Literal('hang'),
      Type.Literal('unavailable'),
      Type.Literal('slow'),
      Type.Literal('deny'),
      Type.Literal('forget'),
    ]),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000 })),
  },
  { additionalProperties: false },
)

export type Fault = Static<typeof Fault>

const validate = createAjv().compile(Fault)

/** Undefined when it is no fault. */
export function readFault(value: unknown): Fault | undefined {
  return validate(value) ? (value as Fault) : undefined
}
