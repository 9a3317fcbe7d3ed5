/** How people are told that a decision is not possible now. */
import type { OperationState } from '../../../../schemas/index.ts'
import { Problem } from '../../../shared/problem.ts'
import { said } from '../../../shared/said.ts'

/** What cannot be as it stands now. */
export const conflict = (en: string, nl: string) => new Problem('state-conflict', said(en, nl))

/** Behind its name. */
export const stateWords: Readonly<Record<OperationState, string>> = {
  planned: 'is voorbereid',
  'awaiting-confirmation': 'wacht op bevestiging',
  fencing: 'wacht tot haar datacenter is afgesloten',
  running: 'is onderweg',
  done: 'is klaar',
  aborted: 'is afgebroken',
  'needs-person': 'heeft een mens nodig',
}

export const isAlready = (state: OperationState) =>
  conflict(`The operation is ${state}`, `De operatie ${stateWords[state]}`)
