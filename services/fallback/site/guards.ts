/** The agent answers the guards of its nodes, and learns from their questions what still stands. */
import { isLater } from '../epoch.ts'
import type { GuardAnswer, GuardAsk, NodeGrant } from '../messages.ts'
import { nothing, type Step } from '../step.ts'
import type { SiteEffect } from './effects.ts'
import { isActive, isOurs, livelyOf, type Site } from './site.ts'

export function onGuardAsk(site: Site, ask: GuardAsk, nowMs: number): Step<never, SiteEffect> {
  const earlier = site.reports.get(ask.node)
  if (earlier && earlier.seq >= ask.seq) return nothing
  const heardUs = ask.agent === site.incarnation
  site.reports.set(ask.node, { seq: ask.seq, present: new Set(ask.present), heardUs })
  const grants: NodeGrant[] = []
  for (const record of site.records.values()) {
    const own = livelyOf(site, record.hosting)
    if (!own.lease || !isActive(site, record, nowMs)) continue
    own.grantedIn.set(ask.node, ask.seq)
    const { hosting, accepted: epoch, activity } = record
    grants.push({ hosting, epoch, activity, remainingMs: own.lease.deadlineMs - nowMs })
  }
  const over = ask.present.filter((hosting) => {
    const record = site.records.get(hosting)
    return record !== undefined && !isOurs(record) && isLater(record.ended, { generation: 0, counter: 0 })
  })
  const message: GuardAnswer = { kind: 'grants', node: ask.node, seq: ask.seq, agent: site.incarnation, grants, over }
  return { writes: [], after: () => [{ do: 'tell-guard', message }] }
}
