/** The register of unmet demand, as far as the caller may see it. */
import type { UnmetDemand } from '../../../../schemas/index.ts'
import { explainGroup, type Language } from '../../../placement/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import { type PageRequest, readPage } from '../../../shared/http/paging.ts'
import type { Caller } from '../../../shared/http/principal.ts'
import type { Kit } from '../../../shared/kit.ts'
import { formatAmount } from '../../../shared/quantity.ts'
import { visibleParty } from '../../identity/index.ts'
import { selectUnmet, type UnmetRow } from './store.ts'

/** A consumer sees its own; to others all of it is shown, and no party with it. */
export function listUnmet(
  kit: Kit,
  caller: Caller,
  page: PageRequest,
  filter: { region?: string; rule?: string },
  language: Language,
): Promise<{ items: UnmetDemand[]; next?: string }> {
  const partyId = visibleParty(caller.principal, 'unmet-demand.read')
  return readPage(
    page,
    (part) => selectUnmet(kit.database, part, { ...filter, partyId }),
    (row) => unmetView(row, language),
  )
}

function unmetView(row: UnmetRow, language: Language): UnmetDemand {
  const { id, region, rule, resource, hostings, waiting, amounts, since_ms } = row
  return {
    id,
    region,
    rule,
    resource,
    reason: explainGroup({ rule, ...(resource !== null && { resource }) }, language),
    hostings,
    waiting,
    amounts: Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatAmount(name, amount)])),
    since: rfc3339(since_ms),
  }
}
