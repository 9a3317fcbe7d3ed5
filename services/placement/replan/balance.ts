/** Rebalancing: the moves that bring the fullest datacenters nearest to the average, the most gain for a seat first. */
import type { HostingDemand } from '../model.ts'
import { usageAt } from '../reserve.ts'
import { neededAmounts } from '../resources.ts'
import type { World } from '../snapshot.ts'
import type { Bonds } from './bonds.ts'
import { type Draft, movesOf, rollback } from './draft.ts'
import { relocate } from './relocate.ts'

/** Of the changes that promise most so many are tried on nodes before it is given up. */
const triedAtOnce = 24
/** At each datacenter so many hostings, the largest, are thought of for a swap. */
const swappedAt = 24

interface Scale {
  readonly resources: readonly string[]
  readonly sites: ReadonlyMap<string, { readonly offered: readonly number[]; readonly used: number[] }>
  /** What all together use of each, of what all together offer. */
  readonly average: readonly number[]
}

/** One hosting to another datacenter, or two that change places. */
interface Change {
  readonly moves: readonly { readonly unit: readonly string[]; readonly from: string; readonly to: string }[]
  readonly gain: number
}

/** Changes the draft for the better until nothing gains enough, or moves or work are used up. */
export function balance(draft: Draft, bonds: Bonds): void {
  const { now, limits } = draft.scene
  for (let better = true; better && draft.work > 0; ) {
    better = false
    const scale = scaleOf(draft.world, now)
    const before = overOf(scale)
    const shifts = promising(shiftsOf(draft, bonds, scale))
    for (const change of [...shifts, ...(shifts.length < triedAtOnce ? promising(swapsOf(draft, bonds, scale)) : [])]) {
      const mark = draft.log.length
      const moves = movesOf(draft)
      const made = change.moves.every(({ unit, from, to }) =>
        relocate(draft, bonds, unit, { leaving: new Set([from]), only: to }),
      )
      const gain = made ? before - overOf(scaleOf(draft.world, now)) : 0
      const seats = Math.max(1, movesOf(draft) - moves)
      better = gain > 0 && 1000 * gain >= limits.leastGainPermille * seats && movesOf(draft) <= limits.maxMoves
      if (better) break
      rollback(draft, mark)
    }
  }
}

/** Per mille, see `Plan.imbalance`. */
export function imbalanceOf(world: World, now: number): number {
  return Math.round(1000 * overOf(scaleOf(world, now)))
}

export function scaleOf(world: World, now: number): Scale {
  const usages = world.order.flatMap(({ state: { id } }) => {
    const usage = usageAt(world, id, now)
    return usage ? [{ id, usage }] : []
  })
  const names = new Set(usages.flatMap(({ usage }) => Object.keys(usage.offered)))
  const resources = [...names].sort()
  const sites = new Map(
    usages.map(({ id, usage }) => [
      id,
      {
        offered: resources.map((name) => usage.offered[name] ?? 0),
        used: resources.map((name) => usage.used[name] ?? 0),
      },
    ]),
  )
  const average = resources.map((_, r) => {
    let [offered, used] = [0, 0]
    for (const site of sites.values()) {
      const all = site.offered[r] ?? 0
      if (!isBounded(all)) continue
      offered += all
      used += site.used[r] ?? 0
    }
    return offered > 0 ? used / offered : 0
  })
  return { resources, sites, average }
}

export const isBounded = (offered: number) => offered > 0 && Number.isFinite(offered)

function overOf(scale: Scale): number {
  let sum = 0
  for (const id of scale.sites.keys()) sum += overAt(scale, id)
  return sum
}

/** How much a datacenter carries beyond the average, of what is scarcest; `more` is added first. */
function overAt({ sites, average }: Scale, id: string, more?: readonly number[], sign = 1): number {
  const site = sites.get(id)
  if (!site) return 0
  let most = 0
  for (let r = 0; r < average.length; r++) {
    const offered = site.offered[r] ?? 0
    if (!isBounded(offered)) continue
    const used = (site.used[r] ?? 0) + sign * (more?.[r] ?? 0)
    most = Math.max(most, used / offered - (average[r] ?? 0))
  }
  return most
}

function promising(changes: Iterable<Change>): Change[] {
  return [...changes].sort((a, b) => b.gain - a.gain).slice(0, triedAtOnce)
}

interface Guest {
  readonly unit: readonly string[]
  readonly takes: readonly number[]
}

/** Units whose primary is here, with what they take of each resource. */
function guestsAt({ world, scene }: Draft, bonds: Bonds, scale: Scale, id: string): Guest[] {
  const units = new Set(
    [...(world.hostingsAt.get(id) ?? [])]
      .sort()
      .filter((hosting) => world.hostings.get(hosting)?.placed.primary?.datacenterId === id)
      .map((hosting) => bonds.units.get(hosting) ?? [hosting]),
  )
  return [...units].map((unit) => ({
    unit,
    takes: vectorOf(
      scale,
      unit.flatMap((hosting) => scene.before.get(hosting)?.demand ?? []),
    ),
  }))
}

function vectorOf({ resources }: Scale, demands: readonly HostingDemand[]): number[] {
  const vector = resources.map(() => 0)
  for (const demand of demands) {
    const amounts = neededAmounts(demand)
    for (const [r, name] of resources.entries()) vector[r] = (vector[r] ?? 0) + (amounts[name] ?? 0)
  }
  return vector
}

function* shiftsOf(draft: Draft, bonds: Bonds, scale: Scale): Generator<Change> {
  for (const from of scale.sites.keys()) {
    const over = overAt(scale, from)
    if (over <= 0) continue
    for (const { unit, takes } of guestsAt(draft, bonds, scale, from)) {
      const relief = over - overAt(scale, from, takes, -1)
      if (relief <= 0) continue
      for (const to of scale.sites.keys()) {
        const gain = relief - (overAt(scale, to, takes) - overAt(scale, to))
        if (to !== from && gain > 0) yield { moves: [{ unit, from, to }], gain }
      }
    }
  }
}

function* swapsOf(draft: Draft, bonds: Bonds, scale: Scale): Generator<Change> {
  const largest = new Map(
    [...scale.sites.keys()].map((id) => [
      id,
      guestsAt(draft, bonds, scale, id)
        .sort((a, b) => overAt(scale, id, b.takes) - overAt(scale, id, a.takes))
        .slice(0, swappedAt),
    ]),
  )
  for (const [from, guests] of largest) {
    const over = overAt(scale, from)
    if (over <= 0) continue
    for (const [to, others] of largest) {
      if (to === from) continue
      for (const a of guests)
        for (const b of others) {
          const less = a.takes.map((amount, r) => amount - (b.takes[r] ?? 0))
          const gain = over - overAt(scale, from, less, -1) + overAt(scale, to) - overAt(scale, to, less)
          if (gain <= 0) continue
          yield {
            moves: [
              { unit: a.unit, from, to },
              { unit: b.unit, from: to, to: from },
            ],
            gain,
          }
        }
    }
  }
}
