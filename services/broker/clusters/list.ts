/** All objects of a kind, in a namespace or in the cluster, page by page, so that no more than a page of them is held. */
import { type ClusterClient, type KindRef, type KubernetesObject, TooLarge } from '../../shared/kubernetes/index.ts'

const pageSize = 100
/** More than the quota of a namespace lets a tenant have of any kind; a server may answer `continue` for ever. */
const most = 20_000

/** Rejects when a page does not come. */
export async function listAll(
  client: ClusterClient,
  { apiVersion, kind }: KindRef,
  namespace: string | undefined,
  each: (object: KubernetesObject) => void,
  labelSelector?: string,
): Promise<void> {
  let count = 0
  let next: string | undefined
  do {
    const page = await client.list(
      { apiVersion, kind },
      {
        limit: pageSize,
        ...(namespace !== undefined && { namespace }),
        ...(labelSelector && { labelSelector }),
        ...(next && { continue: next }),
      },
    )
    count += page.items.length
    if (count > most)
      throw new TooLarge(`too large: ${namespace ?? 'the cluster'} has more than ${most} objects of kind ${kind}`)
    page.items.forEach(each)
    next = page.continue
  } while (next !== undefined)
}
