/** A change of a hosting that stands: what it makes of the request, and what no change may do. Pure. */
import type { DecisionView, HostingChangeInput, HostingChangeState, HostingInput } from '../../../../schemas/index.ts'
import { escapePointer } from '../../../shared/pointer.ts'
import { amountOf, wholeUnits } from '../../../shared/quantity.ts'
import { contradictions } from './demand.ts'

export type Spec = Omit<HostingInput, 'name' | 'systemId' | 'period'>

/** What a hosting is, or is to be. Epoch milliseconds; an open end is null. */
export interface Form {
  readonly spec: Spec
  readonly startMs: number
  readonly endMs: number | null
}

/** As it stands beside the hosting until it is decided and applied, and as the last one after that. */
export interface StoredChange extends Form {
  readonly state: HostingChangeState
  readonly wanted: HostingChangeInput
  readonly requestedAt: string
  readonly requestId: string
  readonly actor: string
  /** It may move where there is no room for it. */
  readonly allowMove: boolean
  /** It has been moved for this change, so that it is not moved again. */
  readonly moved?: boolean
  readonly decision: DecisionView | null
  readonly elsewhere: DecisionView | null
}

/** The merge patch applied; a start that has been is now. */
export function changed({ spec, startMs, endMs }: Form, patch: HostingChangeInput, now: number): Form {
  const { components = spec.components, volumes = spec.volumes, priority = spec.priority, period } = patch
  const { priority: _, volumes: __, ...rest } = spec
  const start = period?.start === undefined ? startMs : Date.parse(period.start)
  const end = period?.end === undefined ? endMs : period.end === null ? null : Date.parse(period.end)
  return {
    spec: {
      ...rest,
      components,
      ...(volumes !== undefined && { volumes }),
      ...(priority !== null && priority !== undefined && { priority }),
    },
    startMs: start === startMs ? startMs : Math.max(start, now),
    endMs: end,
  }
}

export const isSame = (a: Form, b: Form): boolean =>
  JSON.stringify([a.spec.components, a.spec.volumes ?? [], a.spec.priority ?? 0, a.startMs, a.endMs]) ===
  JSON.stringify([b.spec.components, b.spec.volumes ?? [], b.spec.priority ?? 0, b.startMs, b.endMs])

/** Why it cannot be asked at all; each as a pointer and a message. */
export function unchangeable(old: Form, wanted: Form, now: number): { pointer: string; message: string }[] {
  const found = contradictions(wanted.spec)
  if (wanted.endMs !== null && wanted.endMs <= wanted.startMs)
    found.push({ pointer: '/period/end', message: 'must be after start' })
  if (wanted.startMs !== old.startMs && old.startMs <= now)
    found.push({ pointer: '/period/start', message: 'cannot change: it has begun' })
  if (wanted.endMs !== null && wanted.endMs !== old.endMs && wanted.endMs <= now)
    found.push({ pointer: '/period/end', message: 'has passed' })
  return found.length > 0 ? found : shrunk(old.spec, wanted.spec)
}

/** No cluster makes a volume smaller. */
function shrunk(old: Spec, wanted: Spec): { pointer: string; message: string }[] {
  const found: { pointer: string; message: string }[] = []
  const volumes = wanted.volumes ?? []
  for (const before of old.volumes ?? []) {
    const index = volumes.findIndex(({ name }) => name === before.name)
    const now = volumes[index]
    if (!now) found.push({ pointer: '/volumes', message: `has no ${before.name} any more: a volume is not taken away` })
    else if (now.storageClass !== before.storageClass || now.accessMode !== before.accessMode)
      found.push({ pointer: `/volumes/${index}`, message: 'is of another class or mode than it has' })
    else if ((now.count ?? 1) < (before.count ?? 1) || wholeUnits(now.size, 'up') < wholeUnits(before.size, 'up'))
      found.push({ pointer: `/volumes/${index}/size`, message: 'may only grow' })
  }
  wanted.components.forEach(({ name, requests }, index) => {
    const before = old.components.find((component) => component.name === name)?.requests ?? {}
    for (const [resource, text] of Object.entries(before)) {
      if (!resource.startsWith('storage/')) continue
      const now = requests[resource]
      if (now === undefined || amountOf(resource, now, 'up') < amountOf(resource, text, 'up'))
        found.push({ pointer: `/components/${index}/requests/${escapePointer(resource)}`, message: 'may only grow' })
    }
  })
  return found
}
