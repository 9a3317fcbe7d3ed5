/** A drill is begun: for a person or as a plan says, when nothing stands in its way. */
import type { DrillKind } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { type Said, said } from '../../shared/said.ts'
import { selectOverbooked } from '../scheduling/index.ts'
import type { DrillFacts } from './core/facts.ts'
import { Hindered } from './hindered.ts'
import { type Asker, insert, newDrill } from './insert.ts'
import { type Room, reckonRoom } from './room.ts'
import { insertClaim, lockSite, type NewDrill } from './runs/store.ts'
import { reasonAgainst } from './standing.ts'
import { lockSubject, type SubjectRow, selectSubject } from './store.ts'
import { beginOfDatacenter } from './whole/begin.ts'
import { lockRunning } from './whole/store.ts'

/** Of what, and how. */
export interface Wish {
  readonly hostingId?: string | undefined
  readonly datacenterId?: string | undefined
  readonly kind: DrillKind
  /** Where it is asked to come up. */
  readonly targetId?: string | undefined
}

/** A datacenter is not as it was when room was reckoned there: to be reckoned again. */
export class Stale extends Error {
  override readonly name = 'Stale'
}

const triesAtMost = 5
const restless = said(
  'Its standby keeps changing just now; ask again',
  'Waar het naartoe uitwijkt verandert nu steeds; vraag het opnieuw',
)

/** Does `work` again, with room reckoned anew, while the datacenter changes under it. Throws `state-conflict` in the end. */
export async function whileFresh<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Stale)) throw error
      if (tries === triesAtMost) throw new Problem('state-conflict', restless)
    }
  }
}

/** What takes its time or reads by itself, before the transaction: the room of a shadow. */
export async function prepareRoom(kit: Kit, wish: Wish, asker: Pick<Asker, 'partyId' | 'expiresAt'>) {
  if (wish.kind !== 'shadow' || wish.hostingId === undefined) return undefined
  const subject = await selectSubject(kit.database, wish.hostingId, asker.partyId)
  if (!subject?.standby || reasonAgainst(subject, wish, kit.clock.now()) !== undefined) return undefined
  const { id } = subject.standby
  const period = { start: kit.clock.now(), end: asker.expiresAt.getTime() }
  return { standbyId: id, room: await reckonRoom(kit, wish.hostingId, id, period) }
}

export type Prepared = Awaited<ReturnType<typeof prepareRoom>>

/** Returns the id of the drill. Throws `not-found`, `state-conflict` with the reason, and `Stale`. */
export async function beginDrill(sql: Sql, kit: Kit, wish: Wish, asker: Asker, prepared: Prepared): Promise<string> {
  return wish.hostingId === undefined
    ? beginOfDatacenter(sql, kit, { ...wish, datacenterId: wish.datacenterId ?? '' }, asker)
    : beginOfHosting(sql, kit, { ...wish, hostingId: wish.hostingId }, asker, prepared)
}

async function beginOfHosting(
  sql: Sql,
  kit: Kit,
  wish: Wish & { readonly hostingId: string },
  asker: Asker,
  prepared: Prepared,
): Promise<string> {
  const { hostingId, kind } = wish
  // In the order of the scheduler: datacenters, then hostings.
  const generation = prepared && (await lockSite(sql, prepared.standbyId))
  const subject = await lockSubject(sql, hostingId, asker.partyId)
  if (!subject) throw new Problem('not-found', `There is no hosting ${hostingId}`)
  const why = reasonAgainst(subject, wish, kit.clock.now())
  if (why !== undefined) throw new Hindered(subject.name, kind, why)
  const { primary, standby } = subject
  const { whole } = asker
  if (whole && primary?.id !== whole.datacenterId)
    throw new Hindered(subject.name, kind, said('it has left there', 'het is daar weg'))
  const drill = newDrill(kit, asker, {
    hostingId,
    datacenterId: null,
    partyId: subject.party_id,
    kind,
    fromId: primary?.id ?? null,
    toId: standby?.id ?? null,
    facts: { ...factsOf(subject, kit.clock.now()), ...(prepared?.room.ok && { amounts: prepared.room.amounts }) },
  })
  if (kind === 'shadow') {
    if (prepared?.standbyId !== standby?.id) throw new Stale('it stands by elsewhere now')
    await claim(sql, kit, drill, subject.name, prepared?.room, generation)
  }
  if (whole && !(await lockRunning(sql, whole.id))) throw new Hindered(subject.name, kind, wholeIsOver)
  await insert(sql, kit, drill, { kind: 'hosting', id: hostingId }, subject.name)
  return drill.id
}

/** The room is taken with the drill's first breath, and given back when nothing of it is left. */
async function claim(
  sql: Sql,
  kit: Kit,
  drill: NewDrill,
  name: string,
  room: Room | undefined,
  generation: number | undefined,
): Promise<void> {
  if (!room?.ok) throw new Hindered(name, 'shadow', room?.why ?? said('there is no room', 'er is geen ruimte'), true)
  if (room.generation !== generation) throw new Stale('its standby has changed')
  const now = new Date(kit.clock.now())
  const { hostingId, toId } = drill
  if (hostingId === null || toId === null) throw new Stale('it stands by nowhere')
  const { amounts, witness } = room
  const row = { claimId: newId('clm', kit.clock, kit.random), amounts, witness }
  if (!(await insertClaim(sql, { hosting_id: hostingId, to_id: toId }, row, drill.expiresAt, now)))
    throw new Stale('it stands by elsewhere now')
  const [over] = await selectOverbooked(sql, [toId], now)
  if (over) throw new Hindered(name, 'shadow', shortOf(over.resource), true)
}

const wholeIsOver = said(
  'the drill that it is part of goes no further',
  'de test waar het deel van is gaat niet verder',
)

const shortOf = (resource: string): Said =>
  said(
    `there is not enough ${resource} for both a loss and the drill`,
    `er is te weinig ${resource} voor zowel een uitval als de test`,
  )

function factsOf({ primary, behind_ms, data_ms, synced_ms }: SubjectRow, now: number): DrillFacts {
  const seconds = (sinceMs: number | null) => (sinceMs === null ? 0 : Math.max(0, (now - sinceMs) / 1000))
  return {
    ...(synced_ms !== null && { behindSeconds: Math.max(seconds(behind_ms), seconds(data_ms)) }),
    ...(primary && { fencing: { level: primary.level, declaredSeconds: primary.stopSeconds } }),
  }
}
