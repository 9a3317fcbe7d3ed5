/** Which hostings must leave a datacenter that offers less from some instant on: those that free most for least. */
import { indexAt } from '../calendar.ts'
import type { PlacedHosting, Snapshot } from '../model.ts'
import { notOffered } from '../offers.ts'
import { neededAmounts } from '../resources.ts'
import { applyPlacement, createWorld, releasePlacement, type Site } from '../snapshot.ts'
import type { Limits } from './model.ts'

/** Largest first so many are compared each time. */
const compared = 64

/** As few and as cheap as the search finds, without `spared`; all that may go when even that is too little. */
export function whoMustGo(
  snapshot: Snapshot,
  now: number,
  datacenterId: string,
  spared: ReadonlySet<string>,
  limits: Limits,
): ReadonlySet<string> {
  const world = createWorld(snapshot, now)
  const site = world.sites.get(datacenterId)
  if (!site) return new Set()
  const here = [...(world.hostingsAt.get(datacenterId) ?? [])]
    .flatMap((id) => world.hostings.get(id)?.placed ?? [])
    .filter(({ demand }) => !spared.has(demand.id))
    .map((placed) => ({ placed, trouble: troubleOf(placed, limits) }))
    .sort(
      (a, b) => sizeAt(site, b.placed) - sizeAt(site, a.placed) || (a.placed.demand.id < b.placed.demand.id ? -1 : 1),
    )
  const gone: typeof here = []
  for (let over = overload(site, now); over > 0 && here.length > 0; over = overload(site, now)) {
    let best: { at: number; worth: number } | undefined
    for (const [at, { placed, trouble }] of here.slice(0, compared).entries()) {
      releasePlacement(world, placed.demand.id)
      const worth = (over - overload(site, now)) / trouble
      applyPlacement(world, placed)
      if (!best || worth > best.worth) best = { at, worth }
    }
    const [chosen] = here.splice(best?.at ?? 0, 1)
    if (!chosen) break
    releasePlacement(world, chosen.placed.demand.id)
    gone.push(chosen)
  }
  const left = overload(site, now)
  for (const each of [...gone].sort((a, b) => b.trouble - a.trouble)) {
    applyPlacement(world, each.placed)
    if (overload(site, now) > left) releasePlacement(world, each.placed.demand.id)
    else gone.splice(gone.indexOf(each), 1)
  }
  return new Set(gone.map(({ placed }) => placed.demand.id))
}

/** How far what is taken exceeds the offer: shares of what is needed, over all resources and instants from now on. */
function overload({ ledger: { segments }, offered }: Site, now: number): number {
  const instants = [now, ...segments.map(({ start }) => start), ...offered.map(({ start }) => start)]
  let sum = 0
  for (const at of new Set(instants.filter((start) => start >= now))) {
    const segment = segments[indexAt(segments, at)]
    const offer = offered[indexAt(offered, at)]
    if (!segment || !offer) continue
    const resources = Math.max(segment.used.length, segment.reserve.length)
    for (let r = 0; r < resources; r++) {
      const [used, reserve] = [segment.used[r] ?? 0, segment.reserve[r] ?? 0]
      const total = Math.max(0, offer.total[r] ?? notOffered)
      const firm = Math.max(0, offer.firm[r] ?? notOffered)
      if (used + reserve > total) sum += (used + reserve - total) / (used + reserve)
      if (reserve > firm) sum += (reserve - firm) / reserve
    }
  }
  return sum
}

/** What its move is likely to cost, whereto is not known yet; never nothing. */
function troubleOf({ demand }: PlacedHosting, { centsPerGib, centsPerReplica }: Limits): number {
  const stored = Object.entries(neededAmounts(demand)).reduce(
    (sum, [name, amount]) => (name.startsWith('storage/') ? sum + amount : sum),
    0,
  )
  const replicas = demand.components.reduce((sum, component) => sum + component.replicas, 0)
  return 1 + (stored / 2 ** 30) * centsPerGib + replicas * centsPerReplica
}

function sizeAt({ offered }: Site, { demand }: PlacedHosting): number {
  const amounts = neededAmounts(demand)
  return offered.length === 0 ? 0 : (amounts['cpu'] ?? 0) / 1000 + (amounts['memory'] ?? 0) / 2 ** 30
}
