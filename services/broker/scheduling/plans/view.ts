/** From the engine's plan to what is kept of it, and from that to what the contract shows. */
import type { DecisionView, Plan as PlanView } from '../../../../schemas/index.ts'
import {
  explainMove,
  explainUnmoved,
  inLanguage,
  type Language,
  type MoveCost,
  type Plan,
  summarisePlan,
  viewOf,
} from '../../../placement/index.ts'
import type { SolverOutcome } from '../../../placement/solver/worker.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { KeptPlan } from './kept.ts'
import type { Application, PlanRow } from './store.ts'

export interface Names {
  readonly slug: (datacenterId: string) => string
  readonly hosting: (hostingId: string) => string
  readonly generation: (datacenterId: string) => number
}

export function keptPlan(
  plan: Plan,
  solver: SolverOutcome,
  named: readonly string[],
  now: number,
  names: Names,
): KeptPlan {
  const sites = new Set([...named, ...plan.moves.flatMap(({ from, to }) => [from.datacenterId, to.datacenterId])])
  return {
    moves: plan.moves.map(({ from, to, cost, before, reserve: _, ...move }) => ({
      ...move,
      hosting: names.hosting(move.hostingId),
      from: names.slug(from.datacenterId),
      to: names.slug(to.datacenterId),
      cost: costView(cost),
      ...(before !== undefined && { before: rfc3339(before) }),
    })),
    unmoved: plan.unmoved.map(({ hostingId, roles, why, refusals }) => ({
      hostingId,
      hosting: names.hosting(hostingId),
      roles: [...roles],
      why,
      decision: why === 'refused' ? refusedView(refusals, now, names) : null,
    })),
    sites: named.map(names.slug),
    generations: Object.fromEntries([...sites].sort().map((id) => [names.slug(id), names.generation(id)])),
    tally: plan.tally,
    priceCentsPerMonth: plan.price,
    cost: costView(plan.cost),
    ...(plan.imbalance && { imbalance: plan.imbalance }),
    ...(plan.bound && { bound: plan.bound }),
    solver,
  }
}

function refusedView(refusals: Plan['unmoved'][number]['refusals'], now: number, { slug }: Names): DecisionView {
  return viewOf({ outcome: 'unschedulable', summary: '', refusals }, slug, rfc3339(now))
}

function costView({ cents, bytes, replicas, weighed }: MoveCost): PlanView['cost'] {
  return { priceChangeCentsPerMonth: cents, copiedBytes: bytes, replicas, weighed }
}

export function planView(row: PlanRow, now: number, language: Language): PlanView {
  const { moves, unmoved, sites, generations, ...figures } = row.plan
  const names = new Map(moves.map(({ hostingId, hosting }) => [hostingId, hosting]))
  return {
    id: row.id,
    state: row.application?.state ?? (row.expires_at.getTime() > now ? 'proposed' : 'expired'),
    goal: row.goal,
    summary: summarisePlan({ kind: row.goal.kind, sites, moves: moves.length, unmoved: unmoved.length }, language),
    ...figures,
    moves: moves.map((move) => ({
      ...move,
      message: explainMove(move.reason, names.get(move.forHostingId ?? ''), language),
    })),
    unmoved: unmoved.map((each) => ({
      ...each,
      message: explainUnmoved(each.why, language),
      decision: each.decision && inLanguage(each.decision, language),
    })),
    picture: { at: rfc3339(row.created_at.getTime()), current: row.current, generations: { ...generations } },
    application: row.application && applicationView(row.application, row.progress),
    ownerId: row.party_id,
    createdAt: rfc3339(row.created_at.getTime()),
    expiresAt: rfc3339(row.expires_at.getTime()),
  }
}

function applicationView(
  { at, by, reason, endedAt }: Application,
  moves: PlanRow['progress'],
): PlanView['application'] {
  return { at, by, reason, endedAt, moves: [...moves] }
}
