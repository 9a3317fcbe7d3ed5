/** How what is to be drilled stands, and whether its windows are open. */
import type { DrillKind } from '../../../schemas/index.ts'
import { nextAfter, parseCron } from '../../shared/cron.ts'
import type { Said } from '../../shared/said.ts'
import { refusalOf, type Standing } from './core/refusal.ts'
import type { SubjectRow } from './store.ts'

/** Why no drill of it can be held now; `targetId`: where it is asked to come up. */
export const reasonAgainst = (
  subject: SubjectRow,
  { kind, targetId }: { readonly kind: DrillKind; readonly targetId?: string | undefined },
  now: number,
): Said | undefined => refusalOf(standingOf(subject, now), kind, targetId)

function standingOf(subject: SubjectRow, now: number): Standing {
  const { primary, standby, operation, besides, drill, windows } = subject
  return {
    ...subject,
    primary: primary ?? undefined,
    standby: standby ?? undefined,
    operation: operation ?? undefined,
    besides: besides ?? undefined,
    drill: drill ?? undefined,
    outsideWindow: isOutside(windows, now),
  }
}

/** Where there are none it may be held at any time. */
export const isOutside = (windows: SubjectRow['windows'], now: number): boolean =>
  windows.length > 0 && !windows.some((window) => isOpen(window, now))

function isOpen({ cron, zone, minutes }: SubjectRow['windows'][number], now: number): boolean {
  const recurrence = parseCron(cron)
  const due = recurrence && nextAfter(recurrence, zone, now - minutes * 60_000)
  return due !== undefined && due <= now
}
