/** A drill that is begun: its row, with the event that says so. */
import { rfc3339 } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { insertDrill, type NewDrill } from './runs/store.ts'

/** Who asked, and until when it may take. */
export interface Asker {
  /** Whose things only; anybody's when undefined. */
  readonly partyId: string | undefined
  readonly by: string
  readonly person: string
  readonly requestId: string | null
  /** `dueAt`: null for a part of what is due. */
  readonly plan?: { readonly id: string; readonly dueAt: Date | null } | undefined
  /** The drill of a datacenter that it is one of. */
  readonly whole?: { readonly id: string; readonly datacenterId: string } | undefined
  readonly expiresAt: Date
}

type Of = Pick<NewDrill, 'hostingId' | 'datacenterId' | 'partyId' | 'kind' | 'fromId' | 'toId'> &
  Partial<Pick<NewDrill, 'facts'>>

export function newDrill(kit: Kit, { plan, whole, by, person, requestId, expiresAt }: Asker, of: Of): NewDrill {
  const at = rfc3339(kit.clock.now())
  const claimed = { name: 'claimed', startedAt: at, endedAt: at, note: null } as const
  return {
    id: newId('drl', kit.clock, kit.random),
    planId: plan?.id ?? null,
    parentId: whole?.id ?? null,
    dueAt: plan?.dueAt ?? null,
    steps: of.kind === 'shadow' && of.hostingId !== null ? [claimed] : [],
    facts: {},
    ...of,
    by,
    person,
    requestId,
    expiresAt,
  }
}

/** `more`: what else the event tells. */
export async function insert(
  sql: Sql,
  kit: Kit,
  drill: NewDrill,
  subject: { kind: string; id: string },
  name: string,
  more: object = {},
): Promise<void> {
  await insertDrill(sql, drill, new Date(kit.clock.now()))
  const { id: drillId, kind, planId, parentId, partyId, by: actor, requestId } = drill
  await appendEvents(sql, kit, [
    {
      type: 'drill.begun',
      subject,
      partyId,
      actor,
      requestId,
      data: { drillId, kind, name, ...(planId && { planId }), ...(parentId && { partOf: parentId }), ...more },
    },
  ])
}
