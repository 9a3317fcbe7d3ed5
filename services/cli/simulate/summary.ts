/** What a simulation came to: who is placed, what refused the others, and how full every datacenter is. */
import { overcommit, usageAt } from '../../placement/index.ts'
import { type Amounts, amountIn, sumOf } from '../../shared/amounts.ts'
import { formatAmount } from '../../shared/quantity.ts'
import { brokenPromise, type Simulated, type Step } from './simulation.ts'

export interface DatacenterUse {
  readonly datacenter: string
  readonly resource: string
  readonly offered: string
  readonly hosted: string
  readonly fallbackReserved: string
  /** Hosted and reserved, of what is offered; null when that is nothing or without bound. */
  readonly percent: number | null
}

export interface Summary {
  readonly requests: number
  readonly placed: number
  readonly refused: number
  /** Refused hostings by the rule that the most datacenters refused them for. */
  readonly refusedByRule: Readonly<Record<string, number>>
  readonly use: readonly DatacenterUse[]
  /** Per resource: what is held for fallback, and what would be without sharing. */
  readonly reserve: readonly { readonly resource: string; readonly held: string; readonly dedicated: string }[]
  /** Promises that are not kept at the end, from a check of everything. */
  readonly broken: readonly string[]
}

export function summaryOf({ world, steps, now }: Simulated): Summary {
  const last = lastDecisions(steps)
  const refused = last.filter(({ decision }) => decision?.outcome === 'unschedulable')
  const use: DatacenterUse[] = []
  const held: Amounts[] = []
  const dedicated: Amounts[] = []
  for (const { state } of world.order) {
    const usage = usageAt(world, state.id, now)
    if (!usage) continue
    held.push(usage.reserved)
    dedicated.push(usage.reservedUnshared)
    for (const resource of Object.keys(usage.offered).sort()) use.push(useOf(state.slug, resource, usage))
  }
  const [heldInAll, dedicatedInAll] = [sumOf(held), sumOf(dedicated)]
  return {
    requests: last.length,
    placed: last.length - refused.length,
    refused: refused.length,
    refusedByRule: counted(refused.map(leadingRule)),
    use,
    reserve: Object.keys(dedicatedInAll)
      .filter((resource) => amountIn(dedicatedInAll, resource) > 0)
      .sort()
      .map((resource) => ({
        resource,
        held: formatAmount(resource, amountIn(heldInAll, resource)),
        dedicated: formatAmount(resource, amountIn(dedicatedInAll, resource)),
      })),
    broken: [...new Set(overcommit(world, now).map(brokenPromise))],
  }
}

/** A hosting that waited was decided more than once; the last counts. */
function lastDecisions(steps: readonly Step[]): Step[] {
  const last = new Map<string, Step>()
  for (const step of steps) if (step.decision) last.set(step.subject, step)
  return [...last.values()]
}

function leadingRule({ decision }: Step): string {
  const byRule = Map.groupBy(decision?.refusals ?? [], ({ rule }) => rule)
  const [most] = [...byRule].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  return most?.[0] ?? 'none'
}

function counted(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length] as const))
}

function useOf(
  datacenter: string,
  resource: string,
  { offered, used, reserved }: { offered: Amounts; used: Amounts; reserved: Amounts },
): DatacenterUse {
  const [all, hosted, kept] = [offered, used, reserved].map((amounts) => amountIn(amounts, resource))
  const text = (amount = 0) => (Number.isFinite(amount) ? formatAmount(resource, amount) : 'unlimited')
  const bounded = all !== undefined && all > 0 && Number.isFinite(all)
  return {
    datacenter,
    resource,
    offered: text(all),
    hosted: text(hosted),
    fallbackReserved: text(kept),
    percent: bounded ? Math.round((1_000 * ((hosted ?? 0) + (kept ?? 0))) / all) / 10 : null,
  }
}
