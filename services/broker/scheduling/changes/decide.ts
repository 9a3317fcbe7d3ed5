/** Whether a hosting that stands may be changed where it stands, and where it would fit otherwise. Writes nothing. */
import {
  applyPlacement,
  type Decision,
  envelopeOf,
  fitInPlace,
  type HostingDemand,
  isWithin,
  keptInPlace,
  priceInPlace,
  releasePlacement,
  type Standing,
  schedule,
  scheduleElastic,
} from '../../../placement/index.ts'
import { besideNominated } from '../room/nominate.ts'
import type { HostingRow } from '../store.ts'
import { hostingDemand, type Picture } from '../world.ts'

export interface Judged {
  readonly asked: HostingDemand
  /** With the replicas that there is room for. */
  readonly decided: HostingDemand
  /** What is claimed until no more than `decided` is seen to be used. */
  readonly envelope: HostingDemand
  readonly decision: Decision
  /** Where it would fit if it moved, when it does not fit where it stands. */
  readonly elsewhere: Decision | undefined
  /** Of `decided`, where it stands; null when it does not fit. */
  readonly priceCentsPerMonth: number | null
}

/** Throws when the request is one that the engine cannot digest. */
export function judge(picture: Picture, standing: Standing, row: HostingRow, now: number): Judged {
  const { world } = picture
  const { demand: old, primary } = standing
  const asked = hostingDemand(row)
  const priceOf = (demand: HostingDemand) => priceInPlace(world, demand, primary.datacenterId, now) ?? 0
  const inPlace = (_world: typeof world, demand: HostingDemand): Decision => {
    if (isWithin(demand, old)) return keptInPlace(standing, priceOf(demand))
    return fitInPlace(world, envelopeOf(old, demand), standing, now)
  }
  releasePlacement(world, old.id)
  try {
    return besideNominated(picture, old.id, asked.priority ?? 0, () => {
      const { decision, demand: decided } = scheduleElastic(world, asked, now, inPlace)
      const fits = decision.outcome === 'placed'
      return {
        asked,
        decided,
        envelope: envelopeOf(old, decided),
        decision,
        elsewhere: fits ? undefined : scheduleElastic(world, asked, now, schedule).decision,
        priceCentsPerMonth: fits ? priceOf(decided) : null,
      }
    })
  } finally {
    applyPlacement(world, standing)
  }
}

/** As it is in the picture; undefined while it has no primary there. */
export function standingOf({ world, leaving }: Picture, hostingId: string): Standing | undefined {
  const placed = world.hostings.get(hostingId)?.placed
  return placed?.primary && !leaving.has(hostingId) ? { ...placed, primary: placed.primary } : undefined
}
