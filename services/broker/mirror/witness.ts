/** The namespace of a hosting as it stands at a site: that it is there, and whose, is what makes absence in it believable. */
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { epochLabel, hostingLabel } from '../clusters/index.ts'

export type Witness = { readonly ok: true; readonly uid: string } | { readonly ok: false; readonly why: string }

/**
 * `tenant` acts in the tenant's name. `epoch`: of the placement there; what a later decision has written is not what the store
 * takes it for. Rejects when the site does not answer.
 */
export async function lookAtNamespace(
  tenant: ClusterClient,
  name: string,
  hostingId: string,
  slug: string,
  epoch = Number.POSITIVE_INFINITY,
): Promise<Witness> {
  const namespace = await tenant.read({ apiVersion: 'v1', kind: 'Namespace', name })
  if (!namespace) return { ok: false, why: `there is no namespace ${name} at ${slug} yet` }
  const { uid, labels = {}, deletionTimestamp } = namespace.metadata
  if (labels[hostingLabel] !== hostingId) return { ok: false, why: `namespace ${name} at ${slug} is another's` }
  if (deletionTimestamp !== undefined || !uid)
    return { ok: false, why: `namespace ${name} at ${slug} is being removed` }
  if (Number(labels[epochLabel] ?? 0) > epoch)
    return { ok: false, why: `namespace ${name} at ${slug} has a later epoch than ${epoch}` }
  return { ok: true, uid }
}
