/** The report of a drill as a page. */
import type { DrillReport } from '../../../schemas/index.ts'
import type { Language } from '../../shared/http/language.ts'
import { reportPage } from './core/page.ts'
import type { KeptReport } from './service.ts'

export const htmlOf = ({ text, sha256, signatures }: KeptReport, language: Language): string =>
  reportPage({ report: JSON.parse(text) as DrillReport, sha256, signatures, language })
