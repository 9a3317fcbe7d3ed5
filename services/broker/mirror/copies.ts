/** What stands in the namespace at the other site, object by object, and whether the mirror made it. */
import type { ClusterClient, KindRef, KubernetesObject } from '../../shared/kubernetes/index.ts'
import { listAll } from '../clusters/index.ts'
import { isHeld, type Standing } from './core/copy.ts'
import { type EssenceOptions, essenceOf } from './core/essence.ts'
import { type Source, sourceOf } from './core/marks.ts'
import { keyOf, type MirroredObject } from './core/objects.ts'
import { digestOf } from './digest.ts'

export interface Copy extends KindRef {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Of its essence. */
  readonly digest: string
  /** Undefined for what the mirror did not make. */
  readonly source: Source | undefined
  readonly held: boolean
}

export interface ReadOptions extends EssenceOptions {
  readonly standing: Standing
}

/** Undefined for what is no tenant's own. */
export function readCopy(object: KubernetesObject, options: ReadOptions): Copy | undefined {
  const found = object as unknown as MirroredObject
  const essence = essenceOf(found, options)
  if (!essence) return undefined
  const { metadata } = object
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: found.metadata.name,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    digest: digestOf(essence),
    source: sourceOf(metadata.annotations),
    held: isHeld(found, options.standing),
  }
}

/** All of it, by key. Rejects when a list does not come. */
export async function listCopies(
  client: ClusterClient,
  namespace: string,
  kinds: readonly KindRef[],
  options: ReadOptions,
): Promise<Map<string, Copy>> {
  const copies = new Map<string, Copy>()
  for (const kind of kinds) {
    await listAll(client, kind, namespace, (object) => {
      const copy = readCopy(object, options)
      if (copy) copies.set(keyOf(object as unknown as MirroredObject), copy)
    })
  }
  return copies
}
