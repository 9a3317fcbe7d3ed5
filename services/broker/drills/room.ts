/** Room for a shadow: on nodes of the standby's datacenter, beside all that runs there and all that is held there for a loss. */
import { explain, explainRefusal, type HostingDemand, neededAmounts, type Witness } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { type Said, said } from '../../shared/said.ts'
import { loadPicture, readDemands } from '../scheduling/index.ts'

export type Room =
  | {
      readonly ok: true
      readonly amounts: Readonly<Record<string, number>>
      readonly witness: Witness
      /** Of the datacenter when it was reckoned. */
      readonly generation: number
    }
  | { readonly ok: false; readonly why: Said }

/** On a fresh picture of the federation; what changed since shows by the generation. */
export async function reckonRoom(
  kit: Kit,
  hostingId: string,
  datacenterId: string,
  period: { readonly start: number; readonly end: number },
): Promise<Room> {
  const demand = (await readDemands(kit.database, [hostingId])).get(hostingId)?.demand
  if (!demand)
    return { ok: false, why: said('what it asked cannot be read any more', 'wat het vroeg is niet meer te lezen') }
  const { world, datacenters } = await loadPicture(kit, kit.clock.now())
  const generation = datacenters.get(datacenterId)?.generation
  if (generation === undefined)
    return { ok: false, why: said('its standby is not known', 'waar het naartoe uitwijkt is niet bekend') }
  const others = [...datacenters.keys()].filter((id) => id !== datacenterId)
  const trial = shadowOf(demand, period, others)
  const decision = explain(world, trial, kit.clock.now())
  if (decision.outcome === 'placed')
    return { ok: true, amounts: neededAmounts(trial), witness: decision.chosen.primary.witness, generation }
  const refusal = decision.refusals.find((one) => one.datacenterId === datacenterId)
  const short = (language: keyof Said) => (refusal ? explainRefusal(refusal, language) : decision.summary)
  const why = said(
    `there is no room for it beside what is held for a loss: ${short('en')}`,
    `er is geen ruimte voor naast wat voor een uitval wordt vrijgehouden: ${short('nl')}`,
  )
  return { ok: false, why }
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
