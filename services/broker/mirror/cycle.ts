/** One mirror per hosting and other site while this replica leads; sites come and go, and one that is slow stalls no other. */
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { createWake, patiently, pause, type Reached } from '../clusters/index.ts'
import { Deposed, requireEpoch, type Term } from '../scheduling/index.ts'
import { createDatacenter, type Datacenter } from './datacenter.ts'
import { defaultPairTiming, type PairDependencies, type PairTiming } from './dependencies.ts'
import type { MirrorMetrics } from './metrics.ts'
import { runPair } from './pair.ts'
import {
  forgetMirrors,
  type PairRow,
  type PairSite,
  putReports,
  type Report,
  selectIsCurrent,
  selectPairs,
} from './store.ts'

export interface MirrorOptions {
  readonly metrics: MirrorMetrics
  readonly reach: (datacenter: Reached) => Promise<ClusterClient>
  readonly timing?: Partial<PairTiming>
}

/** How often is looked without a hint. */
const lookMs = 5_000
const flushMs = 1_000
/** Begun so long after each other, so that not all list at once. */
const startSpacingMs = 20

interface Running {
  stop(): Promise<void>
}

/** Runs until the term ends; rejects when another replica leads. */
export async function runMirrors(kit: Kit, { epoch, signal: term }: Term, options: MirrorOptions): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([term, failed.signal])
  let deposed: unknown
  const fail = (error: unknown) => {
    deposed ??= error
    failed.abort()
  }
  const reports = createReports(kit, epoch)
  const deps: PairDependencies = {
    kit,
    metrics: options.metrics,
    timing: { ...defaultPairTiming, ...options.timing },
    report: reports.put,
    confirm: async (row) => {
      const isCurrent = await selectIsCurrent(kit.database, epoch, row)
      if (isCurrent === undefined) throw new Deposed(`epoch ${epoch} leads no more`)
      return isCurrent
    },
  }
  const datacenters = createDatacenters(kit, options.reach)
  const running = new Map<string, Running>()
  const start = (row: PairRow): Running => {
    const own = new AbortController()
    const within = AbortSignal.any([signal, own.signal])
    const finished = withSites(deps, row, datacenters, within).catch(fail)
    return {
      stop: async () => {
        own.abort()
        await finished
      },
    }
  }
  const look = createWake(kit.clock)
  const forgets = ['connections', 'placements'].map((channel) => kit.database.listen(channel, look.wake))
  const follow = async () => {
    while (!signal.aborted) {
      await patiently(kit, 'mirrors', signal, async () => {
        const rows = await selectPairs(kit.database)
        await datacenters.keep(rows.flatMap(({ active, other }) => [active, other]))
        await arrange(running, rows, start, () => pause(kit.clock, startSpacingMs, signal))
        await forgetMirrors(kit.database)
      })
      await look.wait(lookMs, signal)
    }
  }
  const flush = async () => {
    while (!signal.aborted) {
      await pause(kit.clock, flushMs, signal)
      await patiently(kit, 'how far mirrors are', signal, reports.flush)
    }
  }
  await Promise.all([follow(), flush()].map((part) => part.catch(fail)))
  await datacenters.keep([])
  await Promise.all([...running.values()].map(({ stop }) => stop()))
  await Promise.all(forgets.map((forget) => forget()))
  if (deposed !== undefined && !term.aborted) throw deposed
}

/** What makes a mirror another one. */
function identityOf({
  activePlacementId,
  otherPlacementId,
  role,
  mode,
  warmReplicas,
  activity,
  active,
  other,
  data,
}: PairRow): string {
  const standing = [role, mode, warmReplicas, activity]
  return JSON.stringify([activePlacementId, otherPlacementId, standing, active, other, data])
}

async function arrange(
  running: Map<string, Running>,
  rows: readonly PairRow[],
  start: (row: PairRow) => Running,
  space: () => Promise<void>,
): Promise<void> {
  const present = new Map(rows.map((row) => [identityOf(row), row]))
  for (const [identity, { stop }] of running) {
    if (present.has(identity)) continue
    running.delete(identity)
    await stop()
  }
  for (const [identity, row] of present) {
    if (running.has(identity)) continue
    running.set(identity, start(row))
    await space()
  }
}

async function withSites(
  deps: PairDependencies,
  row: PairRow,
  datacenters: Datacenters,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps.kit
  while (!signal.aborted) {
    try {
      const sites = { active: await datacenters.get(row.active), other: await datacenters.get(row.other) }
      await runPair(deps, row, sites, signal)
    } catch (error) {
      if (error instanceof Deposed) throw error
      deps.kit.log.warn({ err: error, hosting: row.name }, 'a mirror could not be begun')
    }
    await pause(clock, lookMs, signal)
  }
}

/** One connection per datacenter, opened when it is first needed. */
interface Datacenters {
  get(site: PairSite): Promise<Datacenter>
  /** Closes those that are none of these. */
  keep(sites: readonly PairSite[]): Promise<void>
}

function createDatacenters(kit: Kit, reach: MirrorOptions['reach']): Datacenters {
  const open = new Map<string, Promise<Datacenter>>()
  const nameOf = ({ datacenter_id: id, kind, version }: PairSite) => `${id} ${kind} ${version}`
  return {
    get: (site) => {
      const before = open.get(nameOf(site))
      if (before) return before
      const opened = reach(site).then((client) => createDatacenter(site.datacenter_id, site.slug, client, kit.clock))
      open.set(nameOf(site), opened)
      opened.catch(() => open.delete(nameOf(site)))
      return opened
    },
    keep: async (sites) => {
      const kept = new Set(sites.map(nameOf))
      for (const [name, opened] of open) {
        if (kept.has(name)) continue
        open.delete(name)
        await opened.then((datacenter) => datacenter.close()).catch(() => undefined)
      }
    },
  }
}

/** What is told is written once a second at the most, and only where it is news. */
function createReports(kit: Kit, epoch: number) {
  const waiting = new Map<string, Report>()
  const written = new Map<string, string>()
  return {
    put: (report: Report) => {
      const text = newsOf(report)
      if (written.get(report.placementId) === text) return
      waiting.set(report.placementId, report)
    },
    flush: async () => {
      const reports = [...waiting.values()]
      if (reports.length === 0) return
      await kit.database.transaction(async (sql) => {
        await requireEpoch(sql, epoch)
        await putReports(sql, reports)
      })
      for (const report of reports) {
        written.set(report.placementId, newsOf(report))
        if (waiting.get(report.placementId) === report) waiting.delete(report.placementId)
      }
    },
  }
}

/** When it was last whole is news once every ten seconds. */
function newsOf({ syncedAtMs, ...report }: Report): string {
  return JSON.stringify([report, syncedAtMs === null ? null : Math.floor(syncedAtMs / 10_000)])
}
