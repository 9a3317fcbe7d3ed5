/** What a drill remembers between its steps, beside them. */
import type { DrillReport } from '../../../../schemas/index.ts'

export interface DrillFacts {
  /** How far the standby was behind when it began, in seconds; absent when nothing tells. */
  readonly behindSeconds?: number
  /** What the datacenter that is left can enforce, as it declares, and the longest that stopping took there. */
  readonly fencing?: { readonly level: number; readonly declaredSeconds: number }
  readonly measuredStopSeconds?: number
  /** What was claimed for a shadow. */
  readonly amounts?: Readonly<Record<string, number>>
  /** The operations of a live one: there, and back. */
  readonly out?: string
  readonly back?: string
  readonly outlook?: DrillReport['outlook']
}
