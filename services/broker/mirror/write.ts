/**
 * One write at the standby. It carries the version that was seen there before the roles were last read from the store, so one
 * that comes late, when that site has become the active one and its objects were touched, is refused and changes nothing.
 */
import { type ClusterClient, type KindRef, KubernetesError } from '../../shared/kubernetes/index.ts'
import { type Copy, type ReadOptions, readCopy } from './copies.ts'
import { copyOf } from './core/copy.ts'
import type { Source } from './core/marks.ts'
import type { MirroredObject } from './core/objects.ts'

export const mirrorManager = 'gemeentecloud-mirror'

/** `moved`: the standby's object is another than was seen. `refused`: with the reason, and the same will be refused again. */
export type Written =
  | { readonly outcome: 'written'; readonly copy: Copy | undefined }
  | { readonly outcome: 'moved' }
  | { readonly outcome: 'refused'; readonly error: KubernetesError }

export async function writeCopy(
  client: ClusterClient,
  essence: MirroredObject,
  source: Source,
  before: Copy | undefined,
  options: ReadOptions,
): Promise<Written> {
  const copy = copyOf(essence, source, options.standing)
  const { uid, resourceVersion } = before ?? {}
  const metadata = { ...copy.metadata, ...(before && { uid, resourceVersion }) }
  // Nothing is taken over that was not seen: where there should be none, another's fields are a conflict.
  const apply = { fieldManager: mirrorManager, force: before !== undefined }
  try {
    const made = await client.apply({ ...copy, metadata } as unknown as Parameters<typeof client.apply>[0], apply)
    return { outcome: 'written', copy: readCopy(made, options) }
  } catch (error) {
    const failed = failureOf(error)
    if (failed.outcome !== 'refused' || !before || !isReplaceable(essence, failed.error)) return failed
    const removed = await removeCopy(client, before, essence.metadata.namespace ?? '')
    return removed.outcome === 'written' ? { outcome: 'moved' } : removed
  }
}

/** What cannot be changed in place is made anew; but never what holds data, or what may have made things that go with it. */
const replaceable = new Set(['ConfigMap', 'Secret', 'Service', 'Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'])

function isReplaceable({ kind }: KindRef, { status, message }: KubernetesError): boolean {
  return status === 422 && replaceable.has(kind) && /immutable|may not change|forbidden: updates to/i.test(message)
}

export async function removeCopy(client: ClusterClient, copy: Copy, namespace: string): Promise<Written> {
  const { apiVersion, kind, name, uid, resourceVersion } = copy
  try {
    await client.remove({ apiVersion, kind, name, namespace }, { preconditions: { uid, resourceVersion } })
    return { outcome: 'written', copy: undefined }
  } catch (error) {
    return failureOf(error)
  }
}

/** Throws what may go better the next time. */
function failureOf(error: unknown): Exclude<Written, { outcome: 'written' }> {
  if (!(error instanceof KubernetesError) || error.status === 401 || error.status === 429 || error.status >= 500)
    throw error
  return error.status === 409 ? { outcome: 'moved' } : { outcome: 'refused', error }
}
