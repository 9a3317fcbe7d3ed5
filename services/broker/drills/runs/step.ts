/** What a step of a drill gets and what it says of itself. */
import type { DrillFinding } from '../../../../schemas/index.ts'
import type { Profile } from '../../../fallback/index.ts'
import type { Kit } from '../../../shared/kit.ts'
import type { DrillFacts } from '../core/facts.ts'
import { isFaulty } from '../core/findings.ts'
import type { DrillSites } from '../site/site.ts'
import type { LiveRow } from './store.ts'

export interface DrillContext {
  readonly kit: Kit
  /** Of the leader. */
  readonly epoch: number
  readonly profile: Profile
  readonly sites: DrillSites
  readonly version: string
}

/** `waiting`: it is taken again; what it says is for who looks on. A fault among the findings ends the way forward. */
export type StepOutcome =
  | {
      readonly is: 'done'
      readonly note?: string | null
      readonly facts?: DrillFacts
      readonly findings?: readonly DrillFinding[]
    }
  | { readonly is: 'waiting'; readonly note: string; readonly facts?: DrillFacts }

/** Each may be broken off at any instruction and taken again. Rejects when a cluster or the store does not answer. */
export type TakeStep = (context: DrillContext, row: LiveRow) => Promise<StepOutcome>

export const done = (note: string | null = null): StepOutcome => ({ is: 'done', note })
export const waiting = (note: string): StepOutcome => ({ is: 'waiting', note })
export const failed = (...findings: DrillFinding[]): StepOutcome => ({
  is: 'done',
  note: findings[0]?.en ?? null,
  findings,
})

/** It goes no further: what it made is taken back. */
export const isOff = ({ state, findings }: LiveRow): boolean => state === 'aborting' || isFaulty(findings)

/** Milliseconds since a step of the row was begun. */
export function sinceBegun({ steps }: LiveRow, now: number): number {
  const begunAt = steps.at(-1)?.startedAt
  return begunAt === undefined ? 0 : now - Date.parse(begunAt)
}
