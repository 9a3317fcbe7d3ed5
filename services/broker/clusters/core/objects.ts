/** Kubernetes objects as plain data: how they are named, and whether one already says what another asks. */

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** `RoleBinding/open-zaak/gemeentecloud-consumer`. */
export function keyOf({ kind, metadata }: Pick<KubernetesObject, 'kind' | 'metadata'>): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
}

/**
 * Whether `actual` has every field that `wanted` has, with that value; what else it has is not ours. Lists must be as
 * long, because in the objects we keep they are replaced as a whole.
 */
export function covers(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, index) => covers(actual[index], item))
    )
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual))
      return Object.keys(wanted).length === 0 && actual === undefined
    const fields = actual as Record<string, unknown>
    return Object.entries(wanted).every(([name, value]) => covers(fields[name], value))
  }
  return actual === wanted
}
