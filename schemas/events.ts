/** Events: every change, by whom, when, in order. */
import Type, { type Static } from 'typebox'
import { closed, Instant } from './common.ts'

export const Event = Type.Object(
  {
    id: Type.String({ description: 'evt_…; the same event always has the same id' }),
    cursor: Type.String({
      description: 'Position in the stream: what to send as `cursor` or Last-Event-ID to go on after it',
    }),
    type: Type.String({ description: 'For example hosting.placed' }),
    at: Instant,
    subject: Type.Object({ kind: Type.String(), id: Type.String() }, closed),
    partyId: Type.Union([Type.String(), Type.Null()]),
    actor: Type.String(),
    requestId: Type.Union([Type.String(), Type.Null()]),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  closed,
)
export type Event = Static<typeof Event>
