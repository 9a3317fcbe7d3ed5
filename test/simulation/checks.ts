/** What must hold after every step; the first breach ends the world. */
import type { Epoch, Profile, Row, SiteEvent } from '../../services/fallback/index.ts'
import type { Core } from './core.ts'
import type { Datacenter } from './datacenter.ts'
import type { Grant } from './guard.ts'

export class Breach extends Error {
  readonly invariant: string
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}

export interface Checks {
  started(at: Datacenter, hosting: string, epoch: Epoch, gate: { grant?: Grant; nowMs: number }): void
  /** A4: what had to end is gone within the time to stop. */
  lasted(at: Datacenter, hosting: string, grant: Grant | undefined, nowMs: number): void
  renewedSent(hosting: string, atMs: number): void
  activateSent(hosting: string, to: string, row: Row | undefined, atMs: number): void
  rowChanged(before: Row | undefined, row: Row): void
  stepped(at: Datacenter, event: SiteEvent): void
  readonly grants: { atMs: number; hosting: string }[]
}

export function createChecks(
  core: Core,
  datacenters: readonly Datacenter[],
  nowMs: () => number,
  waitMs: number,
  { drift, stopMs }: Profile,
): Checks {
  const started = new Map<string, { epoch: Epoch; at: string }>()
  const granted = new Map<string, { epoch: Epoch; holder: string }>()
  const renewedAt = new Map<string, number>()
  const deadlines = new Map<string, number>()
  const grants: { atMs: number; hosting: string }[] = []
  return {
    grants,
    started(at, hosting, epoch, { grant, nowMs: reading }) {
      const other = datacenters.find((each) => each !== at && each.runs(hosting))
      if (other) throw new Breach('S1', `${hosting} started at ${at.id} while it runs at ${other.id}`)
      if (!grant) throw new Breach('S3', `${hosting} started at ${at.id} without a grant`)
      const lateMs = reading - grant.deadlineMs
      if (grant.activity === 'exclusive' && lateMs > stopMs)
        throw new Breach('S3', `${hosting} started at ${at.id} ${lateMs} ms after its deadline`)
      const last = started.get(hosting)
      const order = last ? core.compareEpochs(epoch, last.epoch) : 1
      if (order < 0 || (order === 0 && last?.at !== at.id)) {
        throw new Breach('S2', `${hosting} started at ${at.id} in ${core.epochText(epoch)} after a later one`)
      }
      started.set(hosting, { epoch, at: at.id })
    },
    lasted(at, hosting, grant, reading) {
      if (grant?.activity !== 'exclusive') return
      const lateMs = reading - grant.deadlineMs
      if (lateMs > stopMs) throw new Breach('A4', `${hosting} runs at ${at.id} ${lateMs} ms after its deadline`)
    },
    renewedSent: (hosting, atMs) => renewedAt.set(hosting, atMs),
    activateSent(hosting, to, row, atMs) {
      if (!row || row.over !== undefined || row.holder === to) return
      const sinceMs = atMs - (renewedAt.get(hosting) ?? Number.NEGATIVE_INFINITY)
      if (sinceMs < waitMs / (1 + drift) - 1) throw new Breach('S4', `${hosting} offered ${sinceMs} ms after a renewal`)
    },
    rowChanged(before, row) {
      if (before?.saga && row.saga && before.saga.id !== row.saga.id) {
        throw new Breach('S7', `${row.hosting}: ${row.saga.id} began during ${before.saga.id}`)
      }
      const last = granted.get(row.hosting)
      const isGrant = before && (before.holder !== row.holder || core.compareEpochs(before.epoch, row.epoch) !== 0)
      if (!isGrant) return
      if (!before.amnesia) {
        grants.push({ atMs: nowMs(), hosting: row.hosting })
        if (last && core.compareEpochs(row.epoch, last.epoch) <= 0) {
          throw new Breach(
            'S2',
            `${row.hosting} granted in ${core.epochText(row.epoch)} after ${core.epochText(last.epoch)}`,
          )
        }
      }
      if (!last || core.compareEpochs(row.epoch, last.epoch) > 0) granted.set(row.hosting, row)
    },
    /** S6: who runs on by promises is kept company by each of them until it has certainly stopped. */
    stepped(at, event) {
      const site = at.site()
      if (!site) return
      for (const [hosting, { lease, lists }] of site.lively) {
        const key = `${at.id} ${hosting}`
        if (!lease || lease.deadlineMs <= (deadlines.get(key) ?? 0)) continue
        deadlines.set(key, lease.deadlineMs)
        if (event.kind !== 'peer') continue
        const stopsAt = at.clock.realAt(lease.deadlineMs + site.profile.stopMs)
        for (const id of new Set(lists.flatMap(({ members }) => members))) {
          const peer = datacenters.find((each) => each.id === id)
          if (!peer || peer === at) continue
          const stored = peer.disk.state?.records.find((record) => record.hosting === hosting)
          const until = peer.site()?.lively.get(hosting)?.promiseUntilMs
          const keeps = stored?.promised && (until === undefined || peer.clock.realAt(until) >= stopsAt - 1)
          if (!keeps) throw new Breach('S6', `${hosting} runs at ${at.id} longer than ${id} promised`)
        }
      }
    },
  }
}
