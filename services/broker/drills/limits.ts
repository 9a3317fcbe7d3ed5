/** How long drills may take. */
import type { DrillInput } from '../../../schemas/index.ts'

const hourMs = 3_600_000

/** A part of a drill of a datacenter, so that one that is stuck does not hold its room for as long as the others take. */
export const partMostMs = hourMs

/** What a person begins. */
export const mostMs = ({ hostingId, kind }: Pick<DrillInput, 'hostingId' | 'kind'>): number =>
  hostingId === undefined && kind !== 'plan' ? 8 * hourMs : hourMs
