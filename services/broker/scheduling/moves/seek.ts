/**
 * Hostings whose standby is lost for longer than a repair would take, or whose old site is since they were failed over, get
 * another one: the place is made beside what there is, as in any move. Where none fits, it is looked for again and again.
 */
import { anotherStandby } from '../../../placement/index.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { standingOf } from '../changes/decide.ts'
import { commitAt } from '../commit.ts'
import type { Term } from '../leader.ts'
import { type Picture, slugOf } from '../world.ts'
import { type BereftRow, insertMove, selectBereft } from './store.ts'

/** Of one look; the next goes on after them, so that those for whom there is none keep nobody waiting. */
const atOnce = 64
const defaultLostMs = 600_000

/** Looks at some more of them each time. `lostMs`: how long a datacenter is waited for; ten minutes when absent. */
export function createSeeker(kit: Kit, term: Term, picture: Picture, lostMs: number = defaultLostMs) {
  let after = ''
  return async function seek(): Promise<void> {
    const lostBefore = new Date(kit.clock.now() - lostMs)
    const rows = await selectBereft(kit.database, { lostBefore, after, limit: atOnce })
    after = rows.length === atOnce ? (rows.at(-1)?.id ?? '') : ''
    for (const row of rows) await seekFor(kit, term, picture, row)
  }
}

async function seekFor(kit: Kit, term: Term, picture: Picture, row: BereftRow): Promise<void> {
  const standing = standingOf(picture, row.id)
  if (standing?.primary.datacenterId !== row.primary) return
  const found = anotherStandby(picture.world, standing.demand, row.primary, new Set(row.without), kit.clock.now())
  if (!found) return
  await commitAt(kit, term, picture, [], async (sql, at) => {
    const move = { id: newId('mov', kit.clock, kit.random), hostingId: row.id, primary: row.primary }
    if (!(await insertMove(sql, { ...move, standby: found.datacenterId }, at))) return false
    const subject = { kind: 'hosting', id: row.id }
    const data = { name: row.name, to: slugOf(picture, found.datacenterId), instead: row.instead }
    const by = { partyId: row.party_id, actor: 'scheduler', requestId: null }
    await appendEvents(sql, kit, [{ type: 'hosting.standby-sought', subject, ...by, data }])
    return true
  })
}
