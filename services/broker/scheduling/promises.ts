/**
 * What was promised is checked from scratch now and then: a seat whose node has gone gets other nodes of the same
 * datacenter, which moves nothing; what cannot be kept so is written on the hostings it concerns, with the smallest step
 * that would mend it.
 */
import type { BrokenPromise as BrokenPromiseView } from '../../../schemas/index.ts'
import { applyPlacement, type BrokenPromise, brokenPromises, type Remedy } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { formatAmount } from '../../shared/quantity.ts'
import { appendEvents } from '../audit/index.ts'
import type { Term } from './leader.ts'
import { type Reseat, requireEpoch, updateBroken, updateWitnesses } from './store.ts'
import { domainName, type Picture, slugOf } from './world.ts'

/** So many seats at a time; the rest is for the next check. */
const reseatsPerCheck = 64

/** Mends what moves nothing and writes down the rest. Throws when the store fails, or `Deposed`. */
export async function keepPromises(kit: Kit, term: Term, picture: Picture): Promise<readonly BrokenPromise[]> {
  const reseats: Reseat[] = []
  let broken = brokenPromises(picture.world, kit.clock.now())
  while (reseats.length < reseatsPerCheck) {
    const found = broken.flatMap(({ remedy }) => (remedy?.kind === 'reseat' ? [remedy] : []))[0]
    if (!found) break
    reseats.push(...reseat(picture, found))
    broken = brokenPromises(picture.world, kit.clock.now())
  }
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, term.epoch)
    await updateWitnesses(sql, reseats)
    const changed = await updateBroken(sql, notesOf(broken, picture))
    const events = changed
      .filter(({ began, ended }) => began || ended)
      .map(({ id, name, party_id: partyId, ended, broken: note }) => ({
        type: ended ? 'hosting.promise-kept' : 'hosting.promise-broken',
        subject: { kind: 'hosting', id },
        partyId,
        actor: 'scheduler',
        requestId: null,
        data: { name, ...note },
      }))
    if (events.length > 0) await appendEvents(sql, kit, events)
  })
  return broken
}

function reseat(
  { world }: Picture,
  { hostingId, primary, standby }: Exclude<Remedy, { kind: 'raise-offer' }>,
): Reseat[] {
  const demand = world.hostings.get(hostingId)?.placed.demand
  if (!demand) return []
  applyPlacement(world, { demand, ...(primary && { primary }), ...(standby && { standby }) })
  return [primary, standby].flatMap((seat) =>
    seat ? [{ hostingId, datacenterId: seat.datacenterId, witness: seat.witness }] : [],
  )
}

/** Of several broken promises a hosting has the first, by datacenter and domain. */
function notesOf(broken: readonly BrokenPromise[], picture: Picture): { id: string; broken: BrokenPromiseView }[] {
  const notes = new Map<string, BrokenPromiseView>()
  for (const promise of broken)
    for (const id of promise.concerned) if (!notes.has(id)) notes.set(id, noteOf(promise, id, picture))
  return [...notes].map(([id, note]) => ({ id, broken: note }))
}

function noteOf({ datacenterId, domain, shortfall, remedy }: BrokenPromise, id: string, picture: Picture) {
  return {
    datacenter: slugOf(picture, datacenterId),
    failureDomain: domain === undefined ? null : domainName(picture, domain),
    shortfall: Object.fromEntries(
      Object.entries(shortfall).map(([resource, amount]) => [resource, formatAmount(resource, amount)]),
    ),
    remedy: remedy ? remedyText(remedy, id, picture) : null,
  }
}

function remedyText(remedy: Remedy, concerned: string, picture: Picture): string {
  if (remedy.kind === 'raise-offer') {
    const more = Object.entries(remedy.amounts).map(
      ([resource, amount]) => `${formatAmount(resource, amount)} ${resource}`,
    )
    return `${slugOf(picture, remedy.datacenterId)} offers ${more.join(' and ')} more`
  }
  const whose = remedy.hostingId === concerned ? 'its' : `${remedy.hostingId}'s`
  const at = (seat: typeof remedy.primary) => slugOf(picture, seat?.datacenterId ?? '')
  if (remedy.kind === 'move-standby') return `${whose} standby moves to ${at(remedy.standby)}`
  if (remedy.kind === 'move-primary') return `${whose} primary moves to ${at(remedy.primary)}`
  return `${whose} replicas go to other nodes of the same datacenter`
}
