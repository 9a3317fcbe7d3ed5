/** One pass over a datacenter: what is wanted, what stands, and the difference made nothing. */
import { createLimit } from '../../shared/limit.ts'
import type { Cluster } from './cluster.ts'
import { desiredObjects } from './core/desired.ts'
import type { Managed } from './managed.ts'
import type { ClusterMetrics } from './metrics.ts'
import { within } from './patience.ts'
import { ensurePlacement, type Standing, usesNoMore, withdrawPlacement } from './placement.ts'
import { type Ledger, recordAbsent, recordApplied, recordObserved, renewObserved, type Subject } from './records.ts'
import { type Applied, type Observation, type PlacementRow, selectPlacements } from './store.ts'

const placementsAtOnce = 4
/** How old the age of what stands may become before it is renewed. */
const renewAfterMs = 30_000
const followMs = 10_000

export interface ReconcileDependencies {
  readonly ledger: Ledger
  readonly metrics: ClusterMetrics
  readonly cluster: Cluster
  readonly managed: Managed
}

export interface Pass {
  /** Something is under way that no watch tells of: look again soon. */
  readonly unfinished: boolean
}

/** Rejects when the cluster or the store does not answer; then the next pass begins anew. */
export async function reconcile(deps: ReconcileDependencies, subject: Subject): Promise<Pass> {
  const { clock } = deps.ledger.kit
  const started = clock.monotonic()
  const took = () => (clock.monotonic() - started) / 1000
  try {
    const { changed, unfinished } = await pass(deps, subject)
    deps.metrics.reconciled(subject.slug, changed ? 'changed' : 'unchanged', took())
    return { unfinished }
  } catch (error) {
    deps.metrics.reconciled(subject.slug, 'failed', took())
    throw error
  }
}

interface Outcome {
  readonly observation?: Observation
  readonly applied?: Applied
  readonly changed: boolean
  readonly unfinished: boolean
}

async function pass(deps: ReconcileDependencies, subject: Subject): Promise<{ changed: boolean; unfinished: boolean }> {
  const placements = await selectPlacements(deps.ledger.kit.database, subject.id)
  const wanted = placements.filter((p) => p.wanted === 'present')
  deps.managed.expect(wanted.flatMap((placement) => desiredObjects(placement)))
  if (placements.length === 0) return { changed: false, unfinished: false }
  await within(deps.ledger.kit.clock, followMs, deps.managed.follow)

  const limit = createLimit(placementsAtOnce)
  const outcomes = await Promise.allSettled(placements.map((placement) => limit(() => one(deps, subject, placement))))
  const done = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))

  // What was seen is written down also when another placement of the same pass failed.
  const observations = done.flatMap(({ observation }) => (observation ? [observation] : []))
  await record(deps.ledger, subject, new Map(placements.map((placement) => [placement.id, placement])), observations)
  const applied = done.flatMap((outcome) => outcome.applied ?? [])
  if (applied.length > 0) await recordApplied(deps.ledger, applied)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return { changed: done.some((o) => o.changed), unfinished: done.some((o) => o.unfinished) }
}

async function one(
  { cluster, managed, ledger }: ReconcileDependencies,
  subject: Subject,
  placement: PlacementRow,
): Promise<Outcome> {
  if (placement.wanted === 'removed') {
    const result = await withdrawPlacement(cluster, placement)
    if (result.absent) return { changed: await recordAbsent(ledger, subject, placement.id), unfinished: false }
    const standing: Standing = { observed: result.observed ?? seenBefore(placement), reason: result.reason }
    return { observation: { placementId: placement.id, ...standing }, changed: false, unfinished: true }
  }
  const { observed, reason, changed } = await ensurePlacement(cluster, managed, placement)
  if (observed !== 'ready')
    return { observation: { placementId: placement.id, observed, reason }, changed, unfinished: true }
  const { id: placementId, revision, shrinks } = placement
  const settled = shrinks && (await usesNoMore(cluster, placement))
  const isNews = settled || placement.applied < revision
  return {
    observation: { placementId, ...(placement.waits ? waiting : { observed, reason }) },
    ...(isNews && { applied: { placementId, revision, settled } }),
    changed,
    unfinished: shrinks && !settled,
  }
}

/** All is there, and nothing may start in it. */
const waiting: Standing = { observed: 'provisioning', reason: 'waits for its lease: until that is here nothing starts' }

/** Writes what is news, and renews the age of what is not once it has become old. */
async function record(
  ledger: Ledger,
  subject: Subject,
  known: ReadonlyMap<string, PlacementRow>,
  observations: readonly Observation[],
): Promise<void> {
  const isNews = ({ placementId, observed, reason }: Observation) => {
    const before = known.get(placementId)
    return before?.observed !== observed || before.observedReason !== reason
  }
  const oldest = ledger.kit.clock.now() - renewAfterMs
  const isOld = ({ placementId }: Observation) => (known.get(placementId)?.observedAtMs ?? 0) < oldest
  const news = observations.filter(isNews)
  const old = observations.filter((seen) => !isNews(seen) && isOld(seen)).map((seen) => seen.placementId)
  if (news.length > 0) await recordObserved(ledger, subject, news)
  if (old.length > 0) await renewObserved(ledger, old)
}

/** While it is taken away, a namespace is what it was last seen to be. */
function seenBefore({ observed }: PlacementRow): Observation['observed'] {
  return observed === 'ready' || observed === 'conflict' ? observed : 'provisioning'
}
