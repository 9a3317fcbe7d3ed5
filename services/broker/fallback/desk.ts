/**
 * The desk while this replica leads: hears sites and people, commits what the protocol says in one transaction per
 * batch, and only then does what follows from it. When a commit fails, or may have, everything is forgotten and begun
 * anew.
 */
import {
  type Desk,
  type DeskEvent,
  type DeskStep,
  deskHears,
  isInDoubt,
  isLost,
  noteSpeaker,
  type Profile,
  startDesk,
  untilExpiryMs,
} from '../../fallback/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { createWake } from '../clusters/index.ts'
import { requireEpoch, type Term } from '../scheduling/index.ts'
import { enterOffice } from './amnesia.ts'
import { commitRows } from './commit.ts'
import { createLook } from './look.ts'
import type { FallbackMetrics } from './metrics.ts'
import type { createSites, SitesSetup } from './sites.ts'
import { updateMeasured } from './store.ts'

/** What is heard of many sites at once is one commit; what is more waits for the next. */
const eventsAtOnce = 5_000
const tickMs = 500
/** More than one at once is rather a fault of ours. */
const lostBeforeBrake = 1

export interface DeskDependencies extends Pick<SitesSetup, 'pipe' | 'reach'> {
  readonly kit: Kit
  readonly profile: Profile
  readonly metrics: FallbackMetrics
  readonly speak: typeof createSites
  /** Told what this desk knows of who is lost, and undefined when it ends. */
  readonly watching: (isLost: Watching | undefined) => void
}

/** Whether a datacenter is lost as this desk has it, which is whole in itself: in doubt of the store nobody is. */
export type Watching = (datacenter: string) => boolean

/** Serves one term: returns when it ends; throws when a commit failed, `Deposed` when another leads. */
export async function runDesk(deps: DeskDependencies, { epoch, signal }: Term): Promise<void> {
  const { kit, profile, metrics } = deps
  const { clock } = kit
  const { rows, generation, term } = await enterOffice(kit, epoch)
  const committed = new Map(rows.map((row) => [row.hosting, row]))
  const datacenters: string[] = []
  const wake = createWake(clock)
  let mailbox: DeskEvent[] = []
  const give = (event: DeskEvent) => {
    mailbox.push(event)
    wake.wake()
  }
  const look = createLook({ kit, epoch, metrics, datacenters, wake: wake.wake })
  const options = { profile, datacenters, lostBeforeBrake, choose: look.choose, peersFor: look.peersFor }
  const desk: Desk = startDesk(options, rows, generation, clock.monotonic())
  deps.watching((id) => isLost(desk, id, clock.monotonic()) && !isInDoubt(desk))
  const ended = new AbortController()
  const sites = deps.speak({
    ...deps,
    term,
    rows: () => desk.rows.values(),
    heard: (from, message) => give({ kind: 'message', from, message }),
    unread: metrics.unread,
    stopped: (datacenter, ms) => void noteStopped(kit, epoch, datacenter, ms),
    signal: AbortSignal.any([signal, ended.signal]),
  })

  const carryOut = async (steps: readonly DeskStep[]) => {
    const writes = steps.flatMap((step) => step.writes)
    if (writes.length > 0) await commitRows({ kit, epoch, metrics, committed }, writes)
    const now = clock.monotonic()
    for (const step of steps) for (const { to, message } of step.after(now)) sites.send(to, message)
  }

  try {
    let tickAt = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      const events = withoutOvertaken(mailbox.splice(0, eventsAtOnce))
      const now = clock.monotonic()
      const speakers = events.flatMap((event) => (event.kind === 'message' ? [event.from] : []))
      for (const id of speakers) noteSpeaker(desk, id, now)
      const looked = look.step(desk, committed, sites)
      for (const id of speakers) join(datacenters, id)
      const isTick = looked.length > 0 || now >= tickAt
      if (isTick) events.push({ kind: 'tick' })
      if (signal.aborted) return
      await carryOut([...looked, ...events.map((event) => deskHears(desk, event, now))])
      // What may be decided when a lease has run out is not left until the clock happens to come by.
      if (isTick) tickAt = now + Math.min(tickMs, untilExpiryMs(desk, now))
      if (mailbox.length === 0) await wake.wait(Math.min(tickAt - clock.monotonic(), look.dueMs()), signal)
    }
  } finally {
    deps.watching(undefined)
    ended.abort()
    mailbox = []
    sites.stop()
    await look.close()
  }
}

/**
 * Of several renewals of a site the last says all that those before it said, and gives no less; a site that accepts many
 * hostings at once sends one with each. To leave one out is no more than a message that is lost.
 */
function withoutOvertaken(events: readonly DeskEvent[]): DeskEvent[] {
  const seen = new Set<string>()
  const kept = events.toReversed().filter((event) => {
    if (event.kind !== 'message' || event.message.kind !== 'renew') return true
    const isFirst = !seen.has(event.from)
    seen.add(event.from)
    return isFirst
  })
  return kept.reverse()
}

/** A datacenter counts from when it is first heard, or something is to be there: one that never came cannot be lost. */
function join(datacenters: string[], id: string): void {
  if (!datacenters.includes(id)) datacenters.push(id)
}

/** Not in the desk's own commit: what it says of how long a stop takes is for decisions to come. */
async function noteStopped(kit: Kit, epoch: number, datacenter: string, ms: number): Promise<void> {
  try {
    await kit.database.transaction(async (sql) => {
      await requireEpoch(sql, epoch)
      if (!(await updateMeasured(sql, datacenter, ms / 1000))) return
      const subject = { kind: 'datacenter', id: datacenter }
      const by = { partyId: null, actor: 'desk', requestId: null }
      await appendEvents(sql, kit, [{ type: 'datacenter.stop-measured', subject, ...by, data: { seconds: ms / 1000 } }])
    })
  } catch (error) {
    kit.log.warn({ err: error, datacenter }, 'how long a stop took could not be kept; the next one tells again')
  }
}
