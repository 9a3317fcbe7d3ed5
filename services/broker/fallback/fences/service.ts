/** Where the fence of a datacenter is, as its operator says it. */
import type { Fence, FenceInput } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { actorOf, type Caller } from '../../../shared/http/principal.ts'
import type { Kit } from '../../../shared/kit.ts'
import { isCertificate } from '../../../shared/kubernetes/certificates.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireOwner } from '../../identity/index.ts'
import { selectDatacenterOwner } from '../operations/store.ts'
import type { FenceCaller } from './caller.ts'
import { deleteFence, type FenceRow, selectFence, selectLastRequest, upsertFence } from './store.ts'

/** Resolves its name, so not within a transaction. Throws `invalid-fields` for an address that is not taken. */
export async function checkFence({ url, certificateAuthority }: FenceInput, caller: FenceCaller): Promise<void> {
  const refused = await caller.refusal(url)
  const errors = [
    ...(refused === undefined ? [] : [{ pointer: '/url', message: `is refused: ${refused}` }]),
    ...(certificateAuthority === undefined || isCertificate(certificateAuthority)
      ? []
      : [
          {
            pointer: '/certificateAuthority',
            message: 'is no certificate: it must be PEM, from its BEGIN CERTIFICATE to its END CERTIFICATE',
          },
        ]),
  ]
  if (errors.length > 0) throw new Problem('invalid-fields', 'This fence is not taken', errors)
}

/** Throws `not-found`, `forbidden`. */
export async function declareFence(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  fences: FenceCaller,
  id: string,
  { url, token, certificateAuthority }: FenceInput,
): Promise<Fence> {
  const datacenter = await ownDatacenter(sql, caller, id)
  const now = new Date(kit.clock.now())
  const kept = { datacenter_id: id, url, ca: certificateAuthority ?? null, token: fences.seal(token, id) }
  await upsertFence(sql, kept, actorOf(caller), now)
  await tell(sql, kit, caller, datacenter, { id, type: 'datacenter.fence-declared', data: { url } })
  return readFence(sql, { url, declared_at: now }, id)
}

/** Throws `not-found`, `forbidden`. */
export async function removeFence(sql: Sql, kit: Kit, caller: Caller, id: string): Promise<Fence> {
  const datacenter = await ownDatacenter(sql, caller, id)
  const fence = await deleteFence(sql, id)
  if (!fence) throw new Problem('not-found', `${datacenter.slug} has no fence`)
  await tell(sql, kit, caller, datacenter, { id, type: 'datacenter.fence-removed', data: { url: fence.url } })
  return readFence(sql, fence, id)
}

/** Throws `not-found`, `forbidden`. */
export async function getFence(sql: Sql, caller: Caller, id: string): Promise<Fence> {
  const { slug } = await ownDatacenter(sql, caller, id)
  const fence = await selectFence(sql, id)
  if (!fence) throw new Problem('not-found', `${slug} has no fence`)
  return readFence(sql, fence, id)
}

async function readFence(sql: Sql, { url, declared_at }: Pick<FenceRow, 'url' | 'declared_at'>, id: string) {
  const last = await selectLastRequest(sql, id)
  const lastAsked = last && {
    askedAt: rfc3339(last.asked_at.getTime()),
    state: last.state,
    answer: last.answer,
    answeredAt: last.answered_at && rfc3339(last.answered_at.getTime()),
  }
  return { url, declaredAt: rfc3339(declared_at.getTime()), lastAsked: lastAsked ?? null }
}

interface Owned {
  readonly slug: string
  readonly operator_id: string
}

async function ownDatacenter(sql: Sql, caller: Caller, id: string): Promise<Owned> {
  const datacenter = await selectDatacenterOwner(sql, id)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${id}`)
  requireOwner(caller.principal, 'datacenter.fence', datacenter.operator_id)
  return datacenter
}

function tell(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  { slug, operator_id: partyId }: Owned,
  { id, type, data }: { readonly id: string; readonly type: string; readonly data: Record<string, unknown> },
): Promise<void> {
  const subject = { kind: 'datacenter', id }
  const by = { partyId, actor: actorOf(caller), requestId: caller.requestId }
  return appendEvents(sql, kit, [{ type, subject, ...by, data: { slug, ...data } }])
}
