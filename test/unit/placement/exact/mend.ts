/** The single change that a nearest miss asks for, made to the demand or to the datacenter that fell short. */
import type { DatacenterState, HostingDemand, OfferState, Refusal } from '../../../../services/placement/index.ts'
import type { Question } from './rules.ts'

/** The same question with what was missing made good, and no more than that. */
export function mended(question: Question, refusal: Refusal): Question {
  const { demand } = question
  const { missing = 0, available } = refusal
  const has = Number(available)
  const c = demand.constraints
  const ask = (changes: Partial<HostingDemand>): Question => ({ ...question, demand: { ...demand, ...changes } })
  switch (refusal.rule) {
    case 'distance':
      return ask({ constraints: { ...c, ...(c.maxDistance && { maxDistance: { ...c.maxDistance, km: has } }) } })
    case 'classes':
      return ask({
        constraints: { ...c, ...(c.classes && { classes: { ...c.classes, [refusal.resource ?? '']: has } }) },
      })
    case 'price':
      return ask({ constraints: { ...c, maxPriceCents: has } })
    case 'standby-distance':
      return ask({ fallback: { ...demand.fallback, minDistanceKm: has } })
    case 'node-fit':
      return ask({ components: demand.components.map((one) => fewer(one, refusal, demand.fallback.warmReplicas ?? 1)) })
    case 'offer-short':
    case 'fallback-quality':
      return withSite(question, refusal, (dc) => ({ ...dc, offers: [...dc.offers, offerOf(refusal, missing)] }))
    case 'node-size':
      return withSite(question, refusal, (dc) => ({ ...dc, nodes: withLarger(dc, refusal, missing) }))
    default:
      throw new Error(`a nearest miss that says nothing of what would help: ${JSON.stringify(refusal)}`)
  }
}

/** As many as found a node; of a warm standby those that run have theirs when it is the others that do not. */
function fewer(one: HostingDemand['components'][number], { component, available, part }: Refusal, most: number) {
  const run = part === 'reserved' ? Math.min(one.replicas, most) : 0
  return one.name === component ? { ...one, replicas: run + Number(available) } : one
}

function withSite(
  question: Question,
  { datacenterId }: Refusal,
  to: (dc: DatacenterState) => DatacenterState,
): Question {
  return { ...question, datacenters: question.datacenters.map((dc) => (dc.id === datacenterId ? to(dc) : dc)) }
}

/** Of what is missing, for good and free of charge. */
function offerOf({ resource = '' }: Refusal, missing: number): OfferState {
  const period = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }
  return { id: 'off_more', amounts: { [resource]: missing }, period, quality: 'guaranteed', tariff: {} }
}

/** Each by what is missing, as the refusal does not say which is the largest beside what the rest of a standby takes. */
function withLarger(dc: DatacenterState, { resource = '' }: Refusal, missing: number) {
  return dc.nodes.map((node) => ({ ...node, free: { ...node.free, [resource]: (node.free[resource] ?? 0) + missing } }))
}
