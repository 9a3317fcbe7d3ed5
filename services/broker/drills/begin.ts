/** A drill is begun: for a person or as a plan says, when nothing stands in its way. */
import type { DrillKind } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { nextAfter, parseCron } from '../../shared/cron.ts'
import type { Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { selectOverbooked } from '../scheduling/index.ts'
import type { DrillFacts } from './core/facts.ts'
import { refusalOf } from './core/refusal.ts'
import { type Room, reckonRoom } from './room.ts'
import { insertClaim, insertDrill, lockSite, type NewDrill } from './runs/store.ts'
import { lockSubject, type SubjectRow, selectDatacenter, selectSubject } from './store.ts'

/** Of what, and how. */
export interface Wish {
  readonly hostingId?: string | undefined
  readonly datacenterId?: string | undefined
  readonly kind: DrillKind
  /** Where it is asked to come up. */
  readonly targetId?: string | undefined
}

/** Who asked, and until when it may take. */
export interface Asker {
  /** Whose things only; anybody's when undefined. */
  readonly partyId: string | undefined
  readonly by: string
  readonly person: string
  readonly requestId: string | null
  readonly plan?: { readonly id: string; readonly dueAt: Date } | undefined
  readonly expiresAt: Date
}

/** A datacenter is not as it was when room was reckoned there: to be reckoned again. */
export class Stale extends Error {
  override readonly name = 'Stale'
}

const triesAtMost = 5

/** Does `work` again, with room reckoned anew, while the datacenter changes under it. Throws `state-conflict` in the end. */
export async function whileFresh<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Stale)) throw error
      if (tries === triesAtMost) throw new Problem('state-conflict', 'Its standby keeps changing just now; ask again')
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
    ? beginOfDatacenter(sql, kit, wish, asker)
    : beginOfHosting(sql, kit, { ...wish, hostingId: wish.hostingId }, asker, prepared)
}

async function beginOfDatacenter(sql: Sql, kit: Kit, { datacenterId = '' }: Wish, asker: Asker): Promise<string> {
  const datacenter = await selectDatacenter(sql, datacenterId)
  if (!datacenter || (asker.partyId !== undefined && asker.partyId !== datacenter.operator_id))
    throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  const { id, slug, operator_id: partyId } = datacenter
  const drill = newDrill(kit, asker, {
    hostingId: null,
    datacenterId: id,
    partyId,
    kind: 'plan',
    fromId: id,
    toId: null,
  })
  await insert(sql, kit, drill, { kind: 'datacenter', id }, slug)
  return drill.id
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
  if (why !== undefined) throw refused(subject.name, kind, why)
  const { primary, standby } = subject
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
  await insert(sql, kit, drill, { kind: 'hosting', id: hostingId }, subject.name)
  return drill.id
}

const refused = (name: string, kind: DrillKind, why: string) =>
  new Problem('state-conflict', `No ${kind} drill of ${name} can be held: ${why}`)

function reasonAgainst(subject: SubjectRow, { kind, targetId }: Wish, now: number): string | undefined {
  const { primary, standby, operation, besides, drill, windows } = subject
  const standing = {
    ...subject,
    primary: primary ?? undefined,
    standby: standby ?? undefined,
    operation: operation ?? undefined,
    besides: besides ?? undefined,
    drill: drill ?? undefined,
    outsideWindow: windows.length > 0 && !windows.some((window) => isOpen(window, now)),
  }
  return refusalOf(standing, kind, targetId)
}

function isOpen({ cron, zone, minutes }: SubjectRow['windows'][number], now: number): boolean {
  const recurrence = parseCron(cron)
  const due = recurrence && nextAfter(recurrence, zone, now - minutes * 60_000)
  return due !== undefined && due <= now
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
  if (!room?.ok) throw refused(name, 'shadow', room?.why ?? 'there is no room')
  if (room.generation !== generation) throw new Stale('its standby has changed')
  const now = new Date(kit.clock.now())
  const { hostingId, toId } = drill
  if (hostingId === null || toId === null) throw new Stale('it stands by nowhere')
  const { amounts, witness } = room
  const row = { claimId: newId('clm', kit.clock, kit.random), amounts, witness }
  if (!(await insertClaim(sql, { hosting_id: hostingId, to_id: toId }, row, drill.expiresAt, now)))
    throw new Stale('it stands by elsewhere now')
  const [over] = await selectOverbooked(sql, [toId], now)
  if (over) throw refused(name, 'shadow', `there is not enough ${over.resource} for both a loss and the drill`)
}

function factsOf({ primary, behind_ms, data_ms, synced_ms }: SubjectRow, now: number): DrillFacts {
  const seconds = (sinceMs: number | null) => (sinceMs === null ? 0 : Math.max(0, (now - sinceMs) / 1000))
  return {
    ...(synced_ms !== null && { behindSeconds: Math.max(seconds(behind_ms), seconds(data_ms)) }),
    ...(primary && { fencing: { level: primary.level, declaredSeconds: primary.stopSeconds } }),
  }
}

type Of = Pick<NewDrill, 'hostingId' | 'datacenterId' | 'partyId' | 'kind' | 'fromId' | 'toId'> &
  Partial<Pick<NewDrill, 'facts'>>

function newDrill(kit: Kit, { plan, by, person, requestId, expiresAt }: Asker, of: Of): NewDrill {
  const at = rfc3339(kit.clock.now())
  const claimed = { name: 'claimed', startedAt: at, endedAt: at, note: null } as const
  return {
    id: newId('drl', kit.clock, kit.random),
    planId: plan?.id ?? null,
    dueAt: plan?.dueAt ?? null,
    steps: of.kind === 'shadow' ? [claimed] : [],
    facts: {},
    ...of,
    by,
    person,
    requestId,
    expiresAt,
  }
}

async function insert(
  sql: Sql,
  kit: Kit,
  drill: NewDrill,
  subject: { kind: string; id: string },
  name: string,
): Promise<void> {
  await insertDrill(sql, drill, new Date(kit.clock.now()))
  const { id: drillId, kind, planId, partyId, by: actor, requestId } = drill
  await appendEvents(sql, kit, [
    {
      type: 'drill.begun',
      subject,
      partyId,
      actor,
      requestId,
      data: { drillId, kind, name, ...(planId && { planId }) },
    },
  ])
}
