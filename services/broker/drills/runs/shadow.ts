/** A shadow: what stands asleep at the standby is started beside it, under another name and apart, probed, and removed. */
import type { Reached } from '../../clusters/index.ts'
import { finding } from '../core/findings.ts'
import { shadowName } from '../core/shadow.ts'
import type { Shadow } from '../site/site.ts'
import { done, failed, sinceBegun, type TakeStep, waiting } from './step.ts'
import { type LiveRow, lockSite, releaseClaim } from './store.ts'

/** How long a cluster may refuse before that is what was found: rights of a new namespace take a moment to count. */
const refusedForMs = 20_000
/** Where nothing was promised. */
const usualRtoSeconds = 600

export function shadowOfRow(row: LiveRow): Shadow {
  const hosting = row.hosting_name ?? ''
  return {
    drillId: row.id,
    hosting,
    namespace: shadowName(hosting),
    partyId: row.party_id,
    systemSlug: row.system_slug ?? '',
    amounts: row.facts.amounts ?? {},
    volumes: row.volumes,
  }
}

export const reachedOf = ({ to_id, to_slug, to_kind }: LiveRow): Reached => ({
  datacenter_id: to_id ?? '',
  slug: to_slug ?? '',
  kind: to_kind ?? '',
})

export const isolate: TakeStep = async ({ sites, kit }, row) => {
  const lacking = await sites.isolate(reachedOf(row), shadowOfRow(row))
  if (lacking === undefined) return done(shadowName(row.hosting_name ?? ''))
  return sinceBegun(row, kit.clock.now()) > refusedForMs
    ? failed(finding('refused', { what: lacking }))
    : waiting(lacking)
}

export const start: TakeStep = async ({ sites, kit }, row) => {
  const { started, refused, leftOut } = await sites.start(reachedOf(row), shadowOfRow(row))
  if (refused.length > 0) {
    const what = refused.slice(0, 5).join('; ')
    return sinceBegun(row, kit.clock.now()) > refusedForMs ? failed(finding('refused', { what })) : waiting(what)
  }
  const notes = leftOut.length > 0 ? [finding('left-out', { what: leftOut.slice(0, 20).join(', ') })] : []
  if (started === 0) return failed(finding('nothing-to-start'), ...notes)
  return { is: 'done', note: `${started} workloads`, findings: notes }
}

export const probe: TakeStep = async ({ sites, kit }, row) => {
  const { wanted, waiting: late } = await sites.look(reachedOf(row), shadowName(row.hosting_name ?? ''), row.party_id)
  if (wanted === 0) return failed(finding('nothing-to-start'))
  if (late.length === 0) return done(`${wanted} workloads`)
  const what = late.join('; ')
  const startedAt = row.steps.find(({ name }) => name === 'started')?.startedAt
  const sinceMs = startedAt === undefined ? 0 : kit.clock.now() - Date.parse(startedAt)
  const patienceMs = (row.rto_seconds ?? usualRtoSeconds) * 1000
  return sinceMs > patienceMs ? failed(finding('not-ready', { what })) : waiting(what)
}

/** However it went. As long as the cluster does not say that nothing is left, the room stays taken. */
export const remove: TakeStep = async ({ sites }, row) => {
  const left = await sites.remove(reachedOf(row), shadowOfRow(row))
  return left === undefined ? done() : waiting(left)
}

/** The claim ends with the step that says so. */
export const giveBack: TakeStep = async () => done()

export async function releaseRoom(sql: Parameters<typeof releaseClaim>[0], row: LiveRow, now: Date): Promise<void> {
  const { hosting_id, to_id } = row
  if (hosting_id === null || to_id === null) return
  await lockSite(sql, to_id)
  await releaseClaim(sql, hosting_id, to_id, now)
}
