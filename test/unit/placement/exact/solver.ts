/** Whether a hosting can be placed at all: every primary with every standby, and every way to seat both on nodes. */
import type { DatacenterState, PlacedHosting, Seat, Witness } from '../../../../services/placement/index.ts'
import { canLand, type Ground, groundOf, itemsOf, witnessOf } from './ground.ts'
import { pack } from './pack.ts'
import { primaryReason, type Question, standbyReason } from './rules.ts'
import { domainsOfSite, type Stay, staysAt, staysOf } from './sums.ts'

/**
 * A placement that breaks no promise, while what runs stays on its nodes and what is to come down may be seated anew;
 * `undefined` when there is none.
 */
export function solve(question: Question): PlacedHosting | undefined {
  const { datacenters, demand } = question
  for (const dc of datacenters) {
    if (primaryReason(question, dc)) continue
    const primary = seatOf(question, dc, undefined)
    if (!primary) continue
    if (demand.fallback.mode === 'none') return { demand, primary }
    for (const other of datacenters) {
      if (standbyReason(question, other, dc)) continue
      const standby = seatOf(question, other, dc)
      if (standby) return { demand, primary, standby }
    }
  }
  return undefined
}

/** How many of these find a place, each in its turn at the first that there is. */
export function placedInTurn(question: Omit<Question, 'demand'>, demands: readonly Question['demand'][]): number {
  const hostings = [...question.hostings]
  for (const demand of demands) {
    const placed = solve({ ...question, hostings, demand })
    if (placed) hostings.push(placed)
  }
  return hostings.length - question.hostings.length
}

/** Nodes for all of it in this role; `primary`: as its standby. */
export function seatOf(
  question: Question,
  dc: DatacenterState,
  primary: DatacenterState | undefined,
): Seat | undefined {
  const { demand, now } = question
  const domains = primary ? domainsOfSite(primary) : []
  const parts = staysOf(demand, primary ? 'standby' : 'primary', [], domains, now)
  const ground = groundOf(dc, staysAt(question, dc.id, now), parts, now)
  const [running, resting] = [parts.find(({ lands }) => !lands), parts.find(({ lands }) => lands)]
  if (!running) return resting && seatResting(ground, resting, [])
  const items = itemsOf(ground, running)
  let rest: Seat | undefined
  const ways = pack(items, ground.bins, (left, found) => {
    for (const domain of ground.landings.keys()) if (!canLand(ground, domain, left)) return false
    if (!resting) return true
    rest = seatResting({ ...ground, bins: left }, resting, witnessOf(ground, running, found))
    return rest !== undefined
  })
  if (!ways) return undefined
  return { datacenterId: dc.id, witness: [...witnessOf(ground, running, ways), ...(rest?.witness ?? [])] }
}

/** Together with all who come down when any one of its domains is lost: each may be seated in a way of its own. */
function seatResting(ground: Ground, resting: Stay, beside: Witness): Seat | undefined {
  const items = itemsOf(ground, resting, beside)
  if (!resting.domains.every((domain) => canLand(ground, domain, ground.bins, items))) return undefined
  const alone = pack(items, ground.bins)
  return alone && { datacenterId: ground.datacenter.id, witness: witnessOf(ground, resting, alone) }
}
