/** What explains a decision, in the language of who reads it. */
import type { DecisionView } from '../../../schemas/index.ts'
import { inLanguage, type Language } from '../../placement/index.ts'

interface Told {
  readonly decision: DecisionView | null
  readonly change?: { readonly decision: DecisionView | null; readonly elsewhere: DecisionView | null } | null
}

export function spoken<T extends Told>(body: T, language: Language): T {
  const { decision, change } = body
  const said = (view: DecisionView | null) => view && inLanguage(view, language)
  return {
    ...body,
    ...(decision && { decision: said(decision) }),
    ...(change && { change: { ...change, decision: said(change.decision), elsewhere: said(change.elsewhere) } }),
  }
}
