/** No drill of it can be held now, and why. */
import type { DrillKind } from '../../../schemas/index.ts'
import { Problem } from '../../shared/problem.ts'
import { type Said, said } from '../../shared/said.ts'

const kinds: Readonly<Record<DrillKind, string>> = {
  plan: 'test op papier',
  shadow: 'schaduwtest',
  live: 'echte test',
}

export class Hindered extends Problem {
  readonly why: Said
  /** There is no room, which there may be when others have ended. */
  readonly isShort: boolean

  constructor(name: string, kind: DrillKind, why: Said, isShort = false) {
    super(
      'state-conflict',
      said(
        `No ${kind} drill of ${name} can be held: ${why.en}`,
        `Van ${name} kan nu geen ${kinds[kind]} gehouden worden: ${why.nl}`,
      ),
    )
    this.why = why
    this.isShort = isShort
  }
}
