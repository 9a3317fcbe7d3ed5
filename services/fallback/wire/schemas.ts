/** The shape of every message as it is checked where it arrives. Fields that are not known are let through and ignored. */
import Type, { type TSchema } from 'typebox'
import type { BetweenSites, FromDesk, FromSite, GuardAnswer, GuardAsk } from '../messages.ts'
import type { About, Hello } from './hello.ts'

export type Kinds<Message extends { readonly kind: string }> = Readonly<Record<Message['kind'], TSchema>>

const Name = Type.String({ minLength: 1, maxLength: 253 })
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Ms = Type.Number({ minimum: 0 })
const Epoch = Type.Object({ generation: Count, counter: Count })
const Activity = Type.Union([Type.Literal('exclusive'), Type.Literal('pinned')])

const most = { maxItems: 100_000 }
const PeerList = Type.Object({ version: Count, members: Type.Array(Name, most) })
const Held = Type.Object({ hosting: Name, epoch: Epoch, active: Type.Boolean(), listVersion: Count })
const Lease = Type.Object({
  hosting: Name,
  epoch: Epoch,
  activity: Activity,
  leaseMs: Ms,
  lists: Type.Array(PeerList, { minItems: 1, maxItems: 2 }),
})
const Over = Type.Object({ hosting: Name, epoch: Epoch })
const Seen = Type.Object({ hosting: Name, highest: Epoch, running: Type.Optional(Epoch) })

/** A message of one kind about one epoch of one hosting. */
const about = (kind: string, more: Record<string, TSchema> = {}) =>
  Type.Object({ kind: Type.Literal(kind), hosting: Name, epoch: Epoch, ...more })

export const fromSite: Kinds<FromSite> = {
  renew: Type.Object({
    kind: Type.Literal('renew'),
    incarnation: Count,
    seq: Count,
    clockMs: Type.Number(),
    holds: Type.Array(Held, most),
  }),
  accepted: about('accepted'),
  refused: about('refused', {
    reason: Type.Union([Type.Literal('promised'), Type.Literal('later-epoch')]),
    remainingMs: Ms,
    highest: Epoch,
  }),
  unable: about('unable'),
  stopped: about('stopped'),
  seen: Type.Object({ kind: Type.Literal('seen'), generation: Count, seen: Type.Array(Seen, most) }),
}

export const fromSiteOfItself: Kinds<About> = {
  about: Type.Object({
    kind: Type.Literal('about'),
    peer: Type.Optional(Type.String({ minLength: 3, maxLength: 300 })),
    stopMs: Type.Optional(Ms),
  }),
}

const profile = Type.Object({ leaseMs: Ms, renewMs: Ms, stopMs: Ms, drift: Type.Number({ minimum: 0, maximum: 0.5 }) })

export const fromDesk: Kinds<FromDesk | Hello> = {
  hello: Type.Object({
    kind: Type.Literal('hello'),
    term: Count,
    datacenter: Name,
    profile,
    peers: Type.Record(Name, Type.String({ minLength: 3, maxLength: 300 })),
    self: Type.Object({ level: Type.Integer({ minimum: 0, maximum: 3 }) }),
  }),
  renewed: Type.Object({
    kind: Type.Literal('renewed'),
    incarnation: Count,
    seq: Count,
    leases: Type.Array(Lease, most),
    lost: Type.Array(Over, most),
  }),
  activate: about('activate', { activity: Activity }),
  deactivate: about('deactivate'),
  'ask-stopped': about('ask-stopped'),
  'ask-seen': Type.Object({ kind: Type.Literal('ask-seen'), generation: Count }),
}

export const betweenSites: Kinds<BetweenSites> = {
  hold: about('hold', { incarnation: Count, seq: Count }),
  promised: about('promised', { incarnation: Count, seq: Count }),
  'hold-refused': about('hold-refused', { highest: Epoch }),
}

const NodeGrant = Type.Object({ hosting: Name, epoch: Epoch, activity: Activity, remainingMs: Ms })
const ofNode = { node: Name, seq: Count, agent: Count }

export const guardAsk: Kinds<GuardAsk> = {
  ask: Type.Object({ kind: Type.Literal('ask'), ...ofNode, present: Type.Array(Name, most) }),
}

export const guardAnswer: Kinds<GuardAnswer> = {
  grants: Type.Object({
    kind: Type.Literal('grants'),
    ...ofNode,
    grants: Type.Array(NodeGrant, most),
    over: Type.Array(Name, most),
  }),
}
