/** No drill of it can be held now, and why. */
import type { DrillKind } from '../../../schemas/index.ts'
import { Problem } from '../../shared/problem.ts'

export class Hindered extends Problem {
  readonly why: string
  /** There is no room, which there may be when others have ended. */
  readonly isShort: boolean

  constructor(name: string, kind: DrillKind, why: string, isShort = false) {
    super('state-conflict', `No ${kind} drill of ${name} can be held: ${why}`)
    this.why = why
    this.isShort = isShort
  }
}
