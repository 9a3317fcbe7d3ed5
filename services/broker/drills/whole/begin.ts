/** A drill of a datacenter is begun: on paper, or by drills of each hosting that runs there. */
import type { DrillKind } from '../../../../schemas/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { type Said, said } from '../../../shared/said.ts'
import { partOf } from '../core/parts.ts'
import { notOver, outsideWindow } from '../core/refusal.ts'
import { Hindered } from '../hindered.ts'
import { type Asker, insert, newDrill } from '../insert.ts'
import { isOutside, reasonAgainst } from '../standing.ts'
import { type DatacenterRow, lockDatacenter, selectSubjectsAt } from '../store.ts'
import { insertParts } from './store.ts'

interface Wish {
  readonly datacenterId: string
  readonly kind: DrillKind
}

/** Returns the id of the drill. Throws `not-found`, `state-conflict` with the reason. */
export async function beginOfDatacenter(
  sql: Sql,
  kit: Kit,
  { datacenterId, kind }: Wish,
  asker: Asker,
): Promise<string> {
  const datacenter = await lockDatacenter(sql, datacenterId)
  if (!datacenter || (asker.partyId !== undefined && asker.partyId !== datacenter.operator_id))
    throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  const { id, slug, operator_id: partyId, fencing } = datacenter
  const facts = kind === 'live' ? { fencing: { level: fencing.level, declaredSeconds: fencing.stopSeconds } } : {}
  const of = { hostingId: null, datacenterId: id, partyId, kind, fromId: id, toId: null, facts }
  const drill = newDrill(kit, asker, of)
  const parts = kind === 'plan' ? [] : await partsAt(sql, datacenter, kind, kit.clock.now())
  const more = kind === 'plan' ? {} : { hostings: parts.length }
  await insert(sql, kit, drill, { kind: 'datacenter', id }, slug, more)
  if (parts.length > 0) await insertParts(sql, drill.id, parts)
  return drill.id
}

/** Refused when not one of them can be drilled as it stands. */
async function partsAt(sql: Sql, { id, slug, drill, windows }: DatacenterRow, kind: DrillKind, now: number) {
  if (drill !== null) throw new Hindered(slug, kind, notOver(drill))
  if (kind === 'live' && isOutside(windows, now)) throw new Hindered(slug, kind, outsideWindow)
  const subjects = await selectSubjectsAt(sql, id)
  const reasons = subjects.flatMap((subject) => {
    const why = reasonAgainst(subject, { kind }, now)
    return why === undefined ? [] : [said(`${subject.name}: ${why.en}`, `${subject.name}: ${why.nl}`)]
  })
  if (reasons.length === subjects.length) throw new Hindered(slug, kind, noneOf(reasons))
  return subjects.map((subject) => partOf(subject, kind))
}

const namedAtMost = 5

function noneOf(reasons: readonly Said[]): Said {
  if (reasons.length === 0) return said('nothing runs there', 'er draait daar niets')
  const others = reasons.length - namedAtMost
  const named = (language: keyof Said, more: string) =>
    [...reasons.slice(0, namedAtMost).map((each) => each[language]), ...(others > 0 ? [more] : [])].join('; ')
  return said(
    `of what runs there nothing can be drilled. ${named('en', `and ${others} others`)}`,
    `van wat daar draait is niets te beproeven. ${named('nl', `en nog ${others}`)}`,
  )
}
