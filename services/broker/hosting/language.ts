/** What explains a decision, in the language of who reads it. */
import type { DecisionView } from '../../../schemas/index.ts'
import { inLanguage, type Language } from '../../placement/index.ts'

export function spoken<T extends { readonly decision: DecisionView | null }>(body: T, language: Language): T {
  return body.decision ? { ...body, decision: inLanguage(body.decision, language) } : body
}
