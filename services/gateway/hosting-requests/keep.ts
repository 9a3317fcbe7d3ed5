/** What a client wrote on an object of a hosting, kept and told. */
import { appendEvents } from '../../shared/audit/append.ts'
import type { Transaction } from '../../shared/db/database.ts'
import { actorOf, type Principal } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import { type ObjectKind, saveWritten } from './store.ts'
import { changedNames, sameWritten, type Written } from './written.ts'

export interface Change {
  readonly hostingId: string
  readonly kind: ObjectKind
  readonly before: Written
  readonly after: Written
}

/** In the transaction in which `before` was read. What is the same is neither kept nor told. */
export async function keepWritten(
  sql: Transaction,
  kit: Pick<Kit, 'clock' | 'random'>,
  principal: Principal,
  { hostingId, kind, before, after }: Change,
): Promise<void> {
  if (sameWritten(before, after)) return
  await saveWritten(sql, hostingId, kind, after)
  // The gateway gives its requests no id.
  const requestId = null
  const subject = { kind: 'hosting', id: hostingId }
  const data = {
    object: kind,
    labels: changedNames(before, after, 'labels'),
    annotations: changedNames(before, after, 'annotations'),
  }
  const by = { subject, partyId: principal.partyId, actor: actorOf({ principal }), requestId }
  await appendEvents(sql, kit, [{ type: 'hosting.labelled', ...by, data }])
}
