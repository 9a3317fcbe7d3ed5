/** The agent begins, or begins again. */
import type { DatacenterId, NodeId } from '../messages.ts'
import type { Step } from '../step.ts'
import { type Profile, waitMs } from '../timers.ts'
import type { SiteEffect } from './effects.ts'
import { isOurs, livelyOf, type Site, type SiteDisk, type SiteRecord } from './site.ts'

export interface SiteWrite {
  /** Set once, at the start of a life. */
  readonly incarnation?: number
  readonly records: readonly SiteRecord[]
}

/** What was promised is kept for a whole wait more, since how much of it had passed is not known. */
export function startSite(
  setup: { id: DatacenterId; profile: Profile; nodes: readonly NodeId[] },
  disk: SiteDisk | undefined,
  nowMs: number,
): [Site, Step<SiteWrite, SiteEffect>] {
  const incarnation = (disk?.incarnation ?? 0) + 1
  const site: Site = {
    ...setup,
    incarnation,
    records: new Map((disk?.records ?? []).map((record) => [record.hosting, record])),
    lively: new Map(),
    reports: new Map(),
    sentAtMs: new Map(),
    seq: 0,
    renewedAtMs: Number.NEGATIVE_INFINITY,
  }
  for (const record of site.records.values()) {
    if (record.promised) livelyOf(site, record.hosting).promiseUntilMs = nowMs + waitMs(setup.profile)
  }
  // An order that was durable and not yet carried out when the last life ended.
  const ended = [...site.records.values()].filter((record) => !isOurs(record))
  const effects = ended.map(({ hosting }): SiteEffect => ({ do: 'scale-down', hosting }))
  return [site, { writes: [{ incarnation, records: [] }], after: () => effects }]
}
