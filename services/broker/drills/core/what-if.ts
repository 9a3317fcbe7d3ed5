/** What becomes of every hosting when a datacenter is lost: reckoned on a picture, nothing is moved. Pure. */
import type { HostingDemand, PlacedHosting, Refusal, Snapshot } from '../../../placement/index.ts'
import { createWorld, explain, overcommit } from '../../../placement/index.ts'

export interface Outcome {
  readonly hostingId: string
  /** `none`: it asked for no fallback. */
  readonly falls: 'back' | 'elsewhere' | 'nowhere' | 'none'
  /** Datacenter. */
  readonly to: string | undefined
  /** What is short where it should have come up. */
  readonly short: readonly Shortage[]
  /** Why it finds no other place. */
  readonly refusal: Refusal | undefined
}

export interface Shortage {
  readonly resource: string
  readonly missing: number
}

/**
 * Those that run at `lost` come up at their standbys, all of them at once; for one at a standby that cannot bear that another
 * place is sought in what is left. `only`: these hostings are told of; all that ran there when undefined.
 */
export function whatIf(snapshot: Snapshot, lost: string, now: number, only?: ReadonlySet<string>): Outcome[] {
  const datacenters = snapshot.datacenters.filter(({ id }) => id !== lost)
  const runHere = snapshot.hostings.filter(({ primary }) => primary?.datacenterId === lost)
  const left = snapshot.hostings.filter(({ primary }) => primary?.datacenterId !== lost).flatMap(withoutStandby(lost))
  const landed = runHere.flatMap((hosting) => landedOf(hosting))
  const known = new Set(datacenters.map(({ id }) => id))
  const world = createWorld(
    { datacenters, hostings: [...left, ...landed].filter(({ primary, standby }) => isKnown(known, primary, standby)) },
    now,
  )
  const violations = Map.groupBy(overcommit(world, now), ({ datacenterId }) => datacenterId)
  return runHere
    .filter(({ demand }) => only?.has(demand.id) ?? true)
    .map((hosting): Outcome => {
      const { demand, standby } = hosting
      const none = { hostingId: demand.id, to: undefined, short: [], refusal: undefined }
      if (demand.fallback.mode === 'none') return { ...none, falls: 'none' }
      const found = standby && known.has(standby.datacenterId) ? violations.get(standby.datacenterId) : undefined
      const concerned = found?.filter(
        ({ hostingId, domain }) => domain === undefined && (hostingId === undefined || hostingId === demand.id),
      )
      if (standby && known.has(standby.datacenterId) && (concerned ?? []).length === 0)
        return { ...none, falls: 'back', to: standby.datacenterId }
      const short = (concerned ?? []).flatMap(({ resource, taken = 0, available = 0 }) =>
        resource === undefined ? [] : [{ resource, missing: taken - available }],
      )
      const elsewhere = explain(world, trialOf(demand, now), now)
      if (elsewhere.outcome === 'placed')
        return { ...none, falls: 'elsewhere', to: elsewhere.chosen.primary.datacenterId, short }
      return { ...none, falls: 'nowhere', short, refusal: elsewhere.nearestMiss ?? elsewhere.refusals[0] }
    })
}

const isKnown = (known: ReadonlySet<string>, ...seats: readonly ({ readonly datacenterId: string } | undefined)[]) =>
  seats.every((seat) => seat === undefined || known.has(seat.datacenterId))

/** Who stands by at the lost site has no standby any more; who is only there is gone. */
function withoutStandby(lost: string) {
  return (hosting: PlacedHosting): PlacedHosting[] => {
    const { standby, ...rest } = hosting
    if (standby?.datacenterId !== lost) return [hosting]
    return rest.primary ? [rest] : []
  }
}

/** What ran at the lost site runs at its standby, and has none itself. */
function landedOf({ demand, standby }: PlacedHosting): PlacedHosting[] {
  if (!standby) return []
  const { datacenterId, witness } = standby
  return [{ demand: { ...demand, fallback: { mode: 'none' } }, primary: { datacenterId, witness } }]
}

/** Placed anew in what is left, as one more that asks. */
function trialOf(demand: HostingDemand, now: number): HostingDemand {
  const { start, end } = demand.period
  return {
    ...demand,
    id: `${demand.id} anew`,
    fallback: { mode: 'none' },
    period: { start: Math.max(start, now), end },
  }
}
