/**
 * Changes of what stands, as one more work of the scheduler's loop. What grows is claimed first, and its quota follows; of
 * what shrinks the quota comes first, and the claim follows when the cluster shows that no more is used.
 */
import {
  applyPlacement,
  type Decision,
  faults,
  grantedOf,
  type HostingDemand,
  type Seat,
  trimmed,
} from '../../../placement/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import type { StoredChange } from '../../hosting/index.ts'
import { commitAt } from '../commit.ts'
import { claimsOf, decisionView } from '../decide.ts'
import type { Term } from '../leader.ts'
import { insertMove } from '../moves/store.ts'
import { Deposed } from '../store.ts'
import { claimedDemand, type Picture } from '../world.ts'
import { type Judged, judge, standingOf } from './decide.ts'
import {
  type ChangeRow,
  putClaims,
  type Reclaimed,
  type StandingPlacement,
  selectChanging,
  writeChange,
} from './store.ts'

const atOnce = 32

export interface Followed {
  /** Hostings whose change was decided. */
  readonly decided: readonly string[]
  /** Some of them take less now. */
  readonly freed: boolean
}

/** Throws when the store fails, or `Deposed`. */
export async function followChanges(kit: Kit, term: Term, picture: Picture): Promise<Followed> {
  const decided: string[] = []
  let freed = false
  for (const row of await selectChanging(kit.database, atOnce)) {
    if (row.change.state === 'applying') freed = (await finish(kit, term, picture, row)) || freed
    else if (row.change.state === 'moving') await moved(kit, term, picture, row)
    else if (await decideOrRefuse(kit, term, picture, row)) decided.push(row.id)
  }
  return { decided, freed }
}

/** One that cannot be written holds up nobody: it is refused. */
async function decideOrRefuse(kit: Kit, term: Term, picture: Picture, row: ChangeRow): Promise<boolean> {
  try {
    return await decide(kit, term, picture, row)
  } catch (error) {
    if (error instanceof Deposed) throw error
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'a change could not be written')
    return refuse(kit, term, picture, row, { decision: refusedFor(faults.unwritable.en) })
  }
}

async function decide(kit: Kit, term: Term, picture: Picture, row: ChangeRow): Promise<boolean> {
  const { change } = row
  const standing = standingOf(picture, row.id)
  if (!standing || !isAsSeen(row, standing)) return false
  const wanted = { ...row, spec: change.spec, starts_ms: change.startMs, ends_ms: change.endMs }
  const now = kit.clock.now()
  let judged: Judged
  try {
    judged = judge(picture, standing, wanted, now)
  } catch (error) {
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'a change could not be decided')
    return refuse(kit, term, picture, row, { decision: refusedFor(faults.undigested.en) })
  }
  const { decision, asked, decided, envelope } = judged
  if (decision.outcome === 'unschedulable')
    return (await move(kit, term, picture, row, judged)) ?? refuse(kit, term, picture, row, judged)
  const { primary, standby } = decision.chosen
  const isLess = sizeOf(envelope) !== sizeOf(decided)
  const state = isLess ? ('applying' as const) : ('applied' as const)
  const view = decisionView(decision, picture, now, { asked, decided }, row.bonds?.names)
  const told = { ...change, state, decision: view }
  const reclaimed = row.placements.map((placement) => {
    const seat = (placement.role === 'primary' ? primary : standby) ?? primary
    return reclaimedBy(kit, placement, seat, envelope, isLess ? decided : undefined)
  })
  const size = { components: envelope.components, volumes: envelope.volumes }
  const becomes = {
    spec: change.spec,
    startMs: change.startMs,
    endMs: change.endMs,
    granted: grantedOf(asked, decided) ?? null,
    standing: isLess ? size : null,
    priceCentsPerMonth: judged.priceCentsPerMonth,
    decision: null,
  }
  const written = await commitAt(kit, term, picture, sitesOf(row), async (sql, at) => {
    if (!(await writeChange(sql, { hostingId: row.id, from: 'pending', change: told, becomes }, at))) return false
    await putClaims(sql, reclaimed, at)
    const type = isLess ? 'hosting.change-accepted' : 'hosting.changed'
    const data = { priceCentsPerMonth: judged.priceCentsPerMonth, before: row.price }
    await appendEvents(sql, kit, [eventOf(row, type, data)])
    return true
  })
  if (written) applyPlacement(picture.world, { demand: envelope, primary, ...(standby && { standby }) })
  return written
}

/**
 * It goes first to where there is room for what it is to be, as large as it is; the room for the rest is not held meanwhile.
 * Undefined when it may not, or has been moved for this change before.
 */
async function move(
  kit: Kit,
  term: Term,
  picture: Picture,
  row: ChangeRow,
  { decision, elsewhere }: Judged,
): Promise<boolean | undefined> {
  const { change } = row
  if (!change.allowMove || change.moved || elsewhere?.outcome !== 'placed') return undefined
  const { primary, standby } = elsewhere.chosen
  const view = (each: Decision) => decisionView(each, picture, kit.clock.now(), undefined, row.bonds?.names)
  const told = {
    ...change,
    state: 'moving' as const,
    moved: true,
    decision: view(decision),
    elsewhere: view(elsewhere),
  }
  return commitAt(kit, term, picture, [], async (sql, at) => {
    if (!(await writeChange(sql, { hostingId: row.id, from: 'pending', change: told }, at))) return false
    const id = newId('mov', kit.clock, kit.random)
    const target = { primary: primary.datacenterId, standby: standby?.datacenterId ?? null }
    await insertMove(sql, { id, hostingId: row.id, ...target }, at)
    const to = picture.datacenters.get(primary.datacenterId)?.state.slug ?? null
    await appendEvents(sql, kit, [eventOf(row, 'hosting.change-moves', { to })])
    return true
  })
}

/** It is decided anew where it is now. */
function moved(kit: Kit, term: Term, picture: Picture, row: ChangeRow): Promise<boolean> {
  const change = { ...row.change, state: 'pending' as const }
  return commitAt(kit, term, picture, [], async (sql, at) => {
    if (!(await writeChange(sql, { hostingId: row.id, from: 'moving', change }, at))) return false
    await appendEvents(sql, kit, [eventOf(row, 'hosting.change-moved', {})])
    return true
  })
}

/** Everything is as it was. */
async function refuse(
  kit: Kit,
  term: Term,
  picture: Picture,
  row: ChangeRow,
  { decision, elsewhere }: Pick<Judged, 'decision'> & Partial<Pick<Judged, 'elsewhere'>>,
): Promise<boolean> {
  const view = (each: Decision) => decisionView(each, picture, kit.clock.now(), undefined, row.bonds?.names)
  const refused: StoredChange = {
    ...row.change,
    state: 'refused',
    decision: view(decision),
    elsewhere: elsewhere ? view(elsewhere) : null,
  }
  return commitAt(kit, term, picture, [], async (sql, at) => {
    if (!(await writeChange(sql, { hostingId: row.id, from: 'pending', change: refused }, at))) return false
    const data = { summary: refused.decision?.summary ?? '', fitsElsewhere: elsewhere?.outcome === 'placed' }
    await appendEvents(sql, kit, [eventOf(row, 'hosting.change-refused', data)])
    return true
  })
}

/** What was claimed beyond what it is now goes, once every cluster has shown that it is not used; whether it went. */
async function finish(kit: Kit, term: Term, picture: Picture, row: ChangeRow): Promise<boolean> {
  const standing = standingOf(picture, row.id)
  if (!standing || !isAsSeen(row, standing)) return false
  const decided = claimedDemand({ ...row, standing: null })
  const needed = row.placements.map((placement) => {
    const seat = { datacenterId: placement.datacenterId, witness: trimmed(placement.witness, decided) }
    return { placement, seat, claims: claimsOf(decided, placement.role, seat) }
  })
  const isThrough = needed.every(({ placement, claims }) => hasCome(placement, claims))
  if (!isThrough && needed.every(({ placement, claims }) => isOnItsWay(placement, claims))) return false
  // What another wrote meanwhile, as a failover does, is on its way down from what it is.
  const reclaimed = needed.map(({ placement, seat }) =>
    isThrough
      ? reclaimedBy(kit, placement, seat, decided, undefined)
      : reclaimedBy(kit, placement, { ...seat, witness: placement.witness }, standing.demand, decided),
  )
  const { spec, change } = row
  const becomes = {
    spec,
    startMs: row.starts_ms,
    endMs: row.ends_ms,
    granted: row.granted,
    standing: isThrough ? null : row.standing,
    priceCentsPerMonth: row.price,
    decision: null,
  }
  const told = { ...change, state: isThrough ? ('applied' as const) : change.state }
  const written = await commitAt(kit, term, picture, sitesOf(row), async (sql, at) => {
    if (!(await writeChange(sql, { hostingId: row.id, from: 'applying', change: told, becomes }, at))) return false
    await putClaims(sql, reclaimed, at)
    if (isThrough) await appendEvents(sql, kit, [eventOf(row, 'hosting.changed', { priceCentsPerMonth: row.price })])
    return true
  })
  if (!written || !isThrough) return false
  const seatAt = (role: string) => needed.find(({ placement }) => placement.role === role)?.seat
  const [primary, standby] = [seatAt('primary'), seatAt('standby')]
  applyPlacement(picture.world, { demand: decided, ...(primary && { primary }), ...(standby && { standby }) })
  return true
}

type Needed = ReturnType<typeof claimsOf>

/** The claims are what is needed, or have been seen to be no more. */
function hasCome({ claims }: StandingPlacement, needed: Needed): boolean {
  return claims.every(({ kind, amounts, target, settled }) => {
    const wanted = amountsOf(needed, kind)
    return isEqual(amounts, wanted) || (settled && target !== null && isEqual(target, wanted))
  })
}

function isOnItsWay({ claims }: StandingPlacement, needed: Needed): boolean {
  return claims.every(({ kind, amounts, target }) => isEqual(target ?? amounts, amountsOf(needed, kind)))
}

const amountsOf = (needed: Needed, kind: string) => needed.find((claim) => claim.kind === kind)?.amounts ?? {}

/** The claims of one placement for `demand`, on their way down to `target` when that is less. */
function reclaimedBy(
  kit: Kit,
  { id, role, domains }: StandingPlacement,
  { datacenterId, witness }: Seat,
  demand: HostingDemand,
  target: HostingDemand | undefined,
): Reclaimed {
  const claims = claimsOf(demand, role, { datacenterId, witness })
  const less = target && claimsOf(target, role, { datacenterId, witness: trimmed(witness, target) })
  return {
    placementId: id,
    witness,
    domains,
    claims: claims.map(({ kind, amounts }) => ({
      id: newId('clm', kit.clock, kit.random),
      kind,
      amounts,
      target: less && !isEqual(amountsOf(less, kind), amounts) ? amountsOf(less, kind) : null,
    })),
  }
}

/** The store was read after the picture, or before it. */
function isAsSeen({ placements }: ChangeRow, { primary, standby }: { primary: Seat; standby?: Seat }): boolean {
  const at = (role: string) => placements.find((placement) => placement.role === role)?.datacenterId
  return at('primary') === primary.datacenterId && at('standby') === standby?.datacenterId
}

const sitesOf = ({ placements }: ChangeRow) => placements.map(({ datacenterId }) => datacenterId)

const refusedFor = (summary: string): Decision => ({ outcome: 'unschedulable', summary, refusals: [] })

function isEqual(a: object, b: object): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
}

const sizeOf = ({ components, volumes }: HostingDemand) => JSON.stringify([components, volumes])

function eventOf({ id, name, party_id, change }: ChangeRow, type: string, data: Record<string, unknown>) {
  const subject = { kind: 'hosting', id }
  return { type, subject, partyId: party_id, actor: 'scheduler', requestId: change.requestId, data: { name, ...data } }
}
