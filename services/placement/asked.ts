/** What a caller asked, in the engine's terms: quantities become integers, rounded against us. */
import type { HostingInput, QuoteInput } from '../../schemas/index.ts'
import { escapePointer } from '../shared/pointer.ts'
import { amountOf, isAmount, wholeUnits } from '../shared/quantity.ts'
import type { HostingDemand } from './model.ts'

type Asked = Pick<QuoteInput, 'components' | 'volumes' | 'constraints' | 'fallback'>

export interface Owner {
  readonly hostingId: string
  readonly partyId: string
  readonly startMs: number
  /** `Infinity` when open. */
  readonly endMs: number
  readonly classes: HostingDemand['constraints']['classes']
}

/** The demand of a request; the input has passed its schema, so quantities parse. */
export function demandOf(asked: Asked, owner: Owner): HostingDemand {
  const { maxDistance, maxPriceCentsPerMonth, ...constraints } = asked.constraints ?? {}
  return {
    id: owner.hostingId,
    partyId: owner.partyId,
    components: asked.components.map(({ name, replicas, requests, onePerNode = false }) => ({
      name,
      replicas,
      onePerNode,
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
    },
    fallback: asked.fallback,
    period: { start: owner.startMs, end: owner.endMs },
  }
}

/** Rules across fields that a schema cannot say; each as a pointer and a message. */
export function contradictions(asked: Asked & Pick<HostingInput, 'period'>): { pointer: string; message: string }[] {
  const found: { pointer: string; message: string }[] = []
  const names = new Set<string>()
  asked.components.forEach(({ name, requests }, index) => {
    for (const resource of ['cpu', 'memory']) {
      if (!(resource in requests))
        found.push({ pointer: `/components/${index}/requests/${resource}`, message: 'is required' })
    }
    for (const resource of ['pods', ...Object.keys(requests).filter((r) => r.startsWith('storage/'))]) {
      if (resource in requests)
        found.push({
          pointer: `/components/${index}/requests/${escapePointer(resource)}`,
          message: 'is not for a component: replicas and volumes say it',
        })
    }
    for (const [resource, text] of Object.entries(requests)) {
      if (!isAmount(resource, text))
        found.push({ pointer: `/components/${index}/requests/${escapePointer(resource)}`, message: 'is too large' })
    }
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
  return found
}

/** Sums that no longer are exact integers: more than there is anywhere, and nothing to reckon with. */
function beyondCounting({ components, volumes = [] }: Asked): { pointer: string; message: string }[] {
  const parts = [
    ...components.flatMap(({ replicas, requests }) =>
      Object.entries(requests).map(
        ([name, text]) => ['/components', name, amountOf(name, text, 'up') * replicas] as const,
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
