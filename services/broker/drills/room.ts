/** Room for a shadow: on nodes of the standby's datacenter, beside all that runs there and all that is held there for a loss. */
import { explain, explainRefusal, type HostingDemand, neededAmounts, type Witness } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { loadPicture, readDemands } from '../scheduling/index.ts'

export type Room =
  | {
      readonly ok: true
      readonly amounts: Readonly<Record<string, number>>
      readonly witness: Witness
      /** Of the datacenter when it was reckoned. */
      readonly generation: number
    }
  | { readonly ok: false; readonly why: string }

/** On a fresh picture of the federation; what changed since shows by the generation. */
export async function reckonRoom(
  kit: Kit,
  hostingId: string,
  datacenterId: string,
  period: { readonly start: number; readonly end: number },
): Promise<Room> {
  const demand = (await readDemands(kit.database, [hostingId])).get(hostingId)?.demand
  if (!demand) return { ok: false, why: 'what it asked cannot be read any more' }
  const { world, datacenters } = await loadPicture(kit, kit.clock.now())
  const generation = datacenters.get(datacenterId)?.generation
  if (generation === undefined) return { ok: false, why: 'its standby is not known' }
  const others = [...datacenters.keys()].filter((id) => id !== datacenterId)
  const trial = shadowOf(demand, period, others)
  const decision = explain(world, trial, kit.clock.now())
  if (decision.outcome === 'placed')
    return { ok: true, amounts: neededAmounts(trial), witness: decision.chosen.primary.witness, generation }
  const refusal = decision.refusals.find((one) => one.datacenterId === datacenterId)
  const short = refusal ? explainRefusal(refusal, 'en') : decision.summary
  return { ok: false, why: `there is no room for it beside what is held for a loss: ${short}` }
}

/** The same replicas and volumes, once more, for a while, in one datacenter. */
function shadowOf(demand: HostingDemand, period: HostingDemand['period'], datacentersNot: string[]): HostingDemand {
  const { id, partyId, components, volumes } = demand
  return {
    id: `${id} drill`,
    partyId,
    components,
    volumes,
    constraints: { datacentersNot },
    fallback: { mode: 'none' },
    period,
  }
}
