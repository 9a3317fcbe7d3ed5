/** A desk that says to a site what a test wants it to say, over any pipe, and grants what it is told to. */
import type { Duplex } from 'node:stream'
import type { Epoch, FromDesk, FromSite, Lease, Profile } from '../../services/fallback/index.ts'
import { createChannel, type Hello, readFromSite } from '../../services/fallback/wire/index.ts'

/** Short, so that what waits for it is soon over. */
export const quick: Profile = { leaseMs: 1_800, renewMs: 600, stopMs: 2_000, drift: 0.01 }
export const epoch = (counter: number): Epoch => ({ generation: 1, counter })
const isSame = (a: Epoch, b: Epoch) => a.generation === b.generation && a.counter === b.counter

type Granted = Omit<Lease, 'leaseMs'>

export interface ScriptedDesk {
  readonly said: FromSite[]
  isOpen(): boolean
  say(...messages: (FromDesk | Hello)[]): void
  write(text: string): void
  /** Of these hostings renewals are answered; the others are not. */
  readonly granted: Map<string, Granted>
  /** Whether renewals are answered at all. */
  answers: boolean
  /** Offers it until it is taken, and answers its renewals. */
  grant(hosting: string, counter: number, activity?: Lease['activity'], members?: string[]): void
}

/** What its hello says otherwise than usual, and what it grants from the beginning. */
export type Meeting = Partial<Hello> & {
  readonly granted?: ScriptedDesk['granted']
  readonly heard?: (message: FromSite) => void
}

/** `first`: what came through the pipe already. */
export function scriptDesk(
  pipe: Duplex,
  { granted = new Map(), heard, ...hello }: Meeting = {},
  first: Buffer = Buffer.alloc(0),
): ScriptedDesk {
  const { leaseMs } = hello.profile ?? quick
  let isOpen = true
  pipe.on('error', () => undefined)
  const desk: ScriptedDesk = {
    said: [],
    isOpen: () => isOpen,
    say: (...messages) => {
      for (const message of messages) channel.send(message)
    },
    write: (text) => void pipe.write(text),
    granted,
    answers: true,
    grant(hosting, counter, activity = 'exclusive', members = ['dc_a', 'dc_b']) {
      granted.set(hosting, { hosting, epoch: epoch(counter), activity, lists: [{ version: 1, members }] })
    },
  }
  const answer = ({ incarnation, seq, holds }: FromSite & { kind: 'renew' }) => {
    const isHeld = (lease: Granted) =>
      holds.some((held) => held.hosting === lease.hosting && isSame(held.epoch, lease.epoch))
    const leases = [...granted.values()].filter(isHeld).map((lease) => ({ ...lease, leaseMs }))
    desk.say({ kind: 'renewed', incarnation, seq, leases, lost: [] })
    for (const lease of granted.values()) {
      const { hosting, epoch, activity } = lease
      if (!isHeld(lease)) desk.say({ kind: 'activate', hosting, epoch, activity })
    }
  }
  const channel = createChannel<FromSite, FromDesk | Hello>(
    pipe,
    {
      read: readFromSite,
      heard(message) {
        desk.said.push(message)
        heard?.(message)
        if (message.kind === 'renew' && desk.answers) answer(message)
      },
      closed: () => {
        isOpen = false
      },
    },
    first,
  )
  const usual = { kind: 'hello', term: 1, datacenter: 'dc_a', profile: quick, peers: {}, self: { level: 1 } } as const
  desk.say({ ...usual, ...hello })
  return desk
}
