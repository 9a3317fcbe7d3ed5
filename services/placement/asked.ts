/** What a caller asked, in the engine's terms: quantities become integers, rounded against us. */
import type { HostingInput, QuoteInput } from '../../schemas/index.ts'
import { escapePointer } from '../shared/pointer.ts'
import { amountOf, isAmount, wholeUnits } from '../shared/quantity.ts'
import type { HostingDemand } from './model.ts'

type Asked = Pick<QuoteInput, 'components' | 'volumes' | 'constraints' | 'fallback'> &
  Partial<Pick<HostingInput, 'priority' | 'preemptible'>>

export interface Owner {
  readonly hostingId: string
  readonly partyId: string
  readonly startMs: number
  /** `Infinity` when open. */
  readonly endMs: number
  readonly classes: HostingDemand['constraints']['classes']
  /** Whom `together`, `apart` and `apartSystems` come to, by id. */
  readonly bonds?: Pick<HostingDemand['constraints'], 'together' | 'apart'> | undefined
}

/** The demand of a request; the input has passed its schema, so quantities parse. */
export function demandOf(asked: Asked, owner: Owner): HostingDemand {
  const { maxDistance, maxPriceCentsPerMonth, weights, ...named } = asked.constraints ?? {}
  const { together: _, apart: __, apartSystems: ___, ...constraints } = named
  return {
    id: owner.hostingId,
    partyId: owner.partyId,
    components: asked.components.map(({ name, requests, onePerNode = false, onePerZone, ...count }) => ({
      name,
      ...replicasOf(count),
      onePerNode,
      ...(onePerZone && { onePerZone }),
      requests: Object.fromEntries(
        Object.entries(requests).map(([resource, text]) => [resource, amountOf(resource, text, 'up')]),
      ),
    })),
    volumes: (asked.volumes ?? []).map(({ storageClass, size, accessMode, count = 1 }) => ({
      storageClass,
      bytes: wholeUnits(size, 'up') * count,
      readWriteMany: accessMode === 'ReadWriteMany',
    })),
    constraints: {
      ...constraints,
      ...(owner.classes && { classes: owner.classes }),
      ...(maxDistance && { maxDistance: { ...maxDistance.from, km: maxDistance.km } }),
      ...(maxPriceCentsPerMonth !== undefined && { maxPriceCents: maxPriceCentsPerMonth }),
      ...(weights && { weights: weightsOf(weights) }),
      ...(owner.bonds?.together?.length && { together: owner.bonds.together }),
      ...(owner.bonds?.apart?.length && { apart: owner.bonds.apart }),
    },
    fallback: asked.fallback,
    period: { start: owner.startMs, end: owner.endMs },
    ...(asked.priority && { priority: asked.priority }),
    ...(asked.preemptible && { preemptible: true }),
  }
}

/** The most that is wanted, and the least that will do where that is fewer. */
function replicasOf({ replicas, minReplicas = replicas, maxReplicas = replicas }: Replicas) {
  return { replicas: maxReplicas, ...(minReplicas < maxReplicas && { minReplicas }) }
}

type Replicas = Pick<Asked['components'][number], 'replicas' | 'minReplicas' | 'maxReplicas'>

function weightsOf({ sharedReserve, ...weights }: NonNullable<NonNullable<Asked['constraints']>['weights']>) {
  return { ...weights, ...(sharedReserve !== undefined && { 'shared-reserve': sharedReserve }) }
}

/** Rules across fields that a schema cannot say; each as a pointer and a message. */
export function contradictions(asked: Asked & Pick<HostingInput, 'period'>): { pointer: string; message: string }[] {
  const found: { pointer: string; message: string }[] = []
  const names = new Set<string>()
  asked.components.forEach(({ name, replicas, minReplicas, maxReplicas, requests }, index) => {
    for (const resource of ['cpu', 'memory']) {
      if (!(resource in requests))
        found.push({ pointer: `/components/${index}/requests/${resource}`, message: 'is required' })
    }
    if ('pods' in requests)
      found.push({
        pointer: `/components/${index}/requests/pods`,
        message: 'is not for a component: replicas say it',
      })
    for (const [resource, text] of Object.entries(requests)) {
      if (!isAmount(resource, text))
        found.push({ pointer: `/components/${index}/requests/${escapePointer(resource)}`, message: 'is too large' })
    }
    if (minReplicas !== undefined && minReplicas > replicas)
      found.push({ pointer: `/components/${index}/minReplicas`, message: 'is more than replicas' })
    if (maxReplicas !== undefined && maxReplicas < replicas)
      found.push({ pointer: `/components/${index}/maxReplicas`, message: 'is less than replicas' })
    if (names.has(name)) found.push({ pointer: `/components/${index}/name`, message: 'stands twice' })
    names.add(name)
  })
  if (found.length === 0) found.push(...beyondCounting(asked))
  const { period, fallback } = asked
  if (period && period.end !== null && Date.parse(period.end) <= Date.parse(period.start))
    found.push({ pointer: '/period/end', message: 'must be after start' })
  if (fallback.mode === 'none' && (fallback.minDistanceKm !== undefined || fallback.differ !== undefined)) {
    found.push({ pointer: '/fallback/mode', message: 'is none, so there is no standby to keep apart' })
  }
  for (const [index, name] of (asked.constraints?.apart ?? []).entries())
    if (asked.constraints?.together?.includes(name))
      found.push({ pointer: `/constraints/apart/${index}`, message: 'stands in together as well' })
  if (fallback.policy === 'automatic' && (fallback.activity ?? 'pinned') === 'pinned')
    found.push({
      pointer: '/fallback/policy',
      message: 'is not automatic for what is pinned: that moves only when it is proven to be off',
    })
  if (fallback.mode !== 'warm' && fallback.warmReplicas !== undefined)
    found.push({
      pointer: '/fallback/warmReplicas',
      message: 'is for a warm standby: a cold one runs nothing, a hot one all',
    })
  return found
}

/** Sums that no longer are exact integers: more than there is anywhere, and nothing to reckon with. */
function beyondCounting({ components, volumes = [] }: Asked): { pointer: string; message: string }[] {
  const parts = [
    ...components.flatMap(({ replicas, maxReplicas = replicas, requests }) =>
      Object.entries(requests).map(
        ([name, text]) => ['/components', name, amountOf(name, text, 'up') * maxReplicas] as const,
      ),
    ),
    ...volumes.map(
      ({ storageClass, size, count = 1 }) =>
        ['/volumes', `storage/${storageClass}`, wholeUnits(size, 'up') * count] as const,
    ),
  ]
  const totals = new Map<string, { pointer: string; amount: number }>()
  for (const [pointer, name, amount] of parts)
    totals.set(name, { pointer, amount: (totals.get(name)?.amount ?? 0) + amount })
  return [...totals]
    .filter(([, { amount }]) => !Number.isSafeInteger(amount))
    .map(([name, { pointer }]) => ({ pointer, message: `ask together more ${name} than can be counted` }))
}
