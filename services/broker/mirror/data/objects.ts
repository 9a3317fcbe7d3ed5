/** Objects of operators that the desk keeps for declared data: written where they differ, and never over what was not seen. */
import { type ClusterClient, type KindRef, KubernetesError, type Manifest } from '../../../shared/kubernetes/index.ts'
import { hostingLabel } from '../../clusters/index.ts'
import type { DataObject } from '../core/data.ts'
import { digestOf } from '../digest.ts'

const dataManager = 'gemeentecloud-data'
const digestAnnotation = 'gemeentecloud.nl/data-digest'
const noteVersion = 'v1'

/** Undefined when there is none, also where its kind is not known. */
export async function readData(
  client: ClusterClient,
  kind: KindRef,
  name: string,
  namespace: string,
): Promise<DataObject | undefined> {
  try {
    const { apiVersion } = kind
    return (await client.read({ apiVersion, kind: kind.kind, name, namespace })) as DataObject | undefined
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined
    throw error
  }
}

/**
 * Brings an object to what is wanted; one that was last written as the same costs no call. `confirm` is asked after `before`
 * was read and before anything is written, which is refused when `before` is not what stands there any more. False when it was
 * not confirmed.
 */
export async function putData(
  client: ClusterClient,
  wanted: DataObject,
  before: DataObject | undefined,
  confirm: () => Promise<boolean>,
): Promise<boolean> {
  const digest = digestOf(wanted)
  if (before?.metadata.annotations?.[digestAnnotation] === digest) return true
  if (!(await confirm())) return false
  const { uid, resourceVersion } = (before?.metadata ?? {}) as { uid?: string; resourceVersion?: string }
  const annotations = { ...wanted.metadata.annotations, [digestAnnotation]: digest }
  const metadata = { ...wanted.metadata, annotations, ...(before && { uid, resourceVersion }) }
  const force = before !== undefined
  await client.apply({ ...wanted, metadata } as unknown as Manifest, { fieldManager: dataManager, force })
  return true
}

/** Stands at the standby, so that a failover needs nothing of the site that is lost. */
export function noteOf(
  kind: string,
  name: string,
  hosting: { readonly id: string; readonly namespace: string },
  prepared: DataObject,
): DataObject {
  const labels = { 'app.kubernetes.io/managed-by': 'gemeentecloud', [hostingLabel]: hosting.id }
  const metadata = { name: noteName(kind, name), namespace: hosting.namespace, labels }
  const note = { apiVersion: noteVersion, kind: 'ConfigMap', metadata, data: { object: JSON.stringify(prepared) } }
  return note as DataObject
}

/** What was noted; undefined when nothing was. */
export async function readNote(
  client: ClusterClient,
  kind: string,
  name: string,
  namespace: string,
): Promise<DataObject | undefined> {
  const ref = { apiVersion: noteVersion, kind: 'ConfigMap' }
  const note = (await readData(client, ref, noteName(kind, name), namespace)) as
    | { readonly data?: { readonly object?: string } }
    | undefined
  return note?.data?.object === undefined ? undefined : (JSON.parse(note.data.object) as DataObject)
}

export const noteName = (kind: string, name: string) => `gemeentecloud-${kind}-${name}`
