/** Objects of Kubernetes as far as the mirror reads them; the rest passes as it is. */
import type { Kind } from './kinds.ts'

export interface OwnerReference extends Kind {
  readonly controller?: boolean
}

export interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface MirroredObject extends Kind {
  readonly metadata: Metadata
  readonly [field: string]: unknown
}

/** `apps/v1/Deployment/web`: what an object is called within its namespace. */
export const keyOf = ({ apiVersion, kind, metadata }: MirroredObject) => `${apiVersion}/${kind}/${metadata.name}`
