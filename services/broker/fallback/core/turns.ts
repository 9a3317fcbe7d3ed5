/** What a change of a row is the turn of, for who follows a failover from outside. Pure. */
import { isLater, isSame, isUnstarted, type Row } from '../../../fallback/index.ts'
import type { RowChange } from './rows.ts'

export type Turn = { readonly hosting: string } /** `waited`: on the strength of the wait alone. */ & (
  | { readonly kind: 'began'; readonly saga: 'failover' | 'move'; readonly from: string; readonly waited: boolean }
  /** The right of the holder has ended: why. */
  | { readonly kind: 'over'; readonly witness: NonNullable<Row['over']>; readonly from: string }
  | { readonly kind: 'handed-over'; readonly from: string; readonly to: string }
  /** Who was to have it has not taken it, and nothing shows that the holder has stopped. */
  | { readonly kind: 'put-off'; readonly by: string }
  /** The first site has it. */
  | { readonly kind: 'started'; readonly to: string }
  /** The holder itself has a later epoch. */
  | { readonly kind: 'renewed-epoch' }
  /** The holder has said that it runs it. */
  | { readonly kind: 'runs'; readonly at: string }
  /** The old holder was heard again before anybody else had it. */
  | { readonly kind: 'called-off'; readonly at: string }
)

export const turnsOf = (changes: readonly RowChange[]): Turn[] => changes.flatMap(turnsOfOne)

function turnsOfOne({ before, after }: RowChange): Turn[] {
  const { hosting } = after
  if (!before) return []
  const turns: Turn[] = []
  if (isUnstarted(before)) return isUnstarted(after) ? [] : [{ kind: 'started', hosting, to: after.holder }]
  const saga = after.saga ?? before.saga
  if (!before.saga && after.saga)
    turns.push({
      kind: 'began',
      hosting,
      saga: after.saga.kind,
      from: before.holder,
      waited: after.saga.kind === 'failover' && after.over === undefined,
    })
  if (before.over === undefined && after.over !== undefined)
    turns.push({ kind: 'over', hosting, witness: after.over, from: before.holder })
  if (before.holder !== after.holder) {
    if (!before.over) turns.push({ kind: 'over', hosting, witness: 'sealed', from: before.holder })
    turns.push({ kind: 'handed-over', hosting, from: before.holder, to: after.holder })
  } else if (!isSame(before.epoch, after.epoch)) turns.push({ kind: 'renewed-epoch', hosting })
  if (before.offer && !after.offer && after.saga && after.over === undefined && isSame(before.epoch, after.epoch))
    turns.push({ kind: 'put-off', hosting, by: before.offer.target })
  if (before.saga && !after.saga && saga) {
    const isElsewhere = isLater(after.epoch, saga.since)
    turns.push({ kind: isElsewhere ? 'runs' : 'called-off', hosting, at: after.holder })
  }
  return turns
}
