/** The storage that manifests ask for: claims, claims per replica, claims that live as long as a pod. */
import type { HostingInput } from '../../../schemas/index.ts'
import { isQuantity } from '../../shared/quantity.ts'
import type { Findings } from './findings.ts'
import { type Tree, textAt, treeAt, treesAt } from './tree.ts'
import type { PodSet } from './workloads.ts'

export type Volume = NonNullable<HostingInput['volumes']>[number]

export interface StorageOptions {
  /** For claims that name no class. */
  readonly defaultStorageClass?: string | undefined
  /** Class in the manifests → class in the federation. */
  readonly storageClasses: Readonly<Record<string, string>>
}

/** A volume per claim; `nameOf` makes a name that is unique among them. */
export function volumesOf(
  claims: readonly Tree[],
  pods: readonly PodSet[],
  options: StorageOptions,
  nameOf: (text: string) => string,
  findings: Findings,
): Volume[] {
  const standing = claims.map((claim) => {
    const name = textAt(claim, 'metadata', 'name') ?? 'volume'
    return volumeOf(`PersistentVolumeClaim/${name}`, name, treeAt(claim, 'spec'), 1, options, nameOf, findings)
  })
  const perReplica = pods.flatMap(({ who, name, replicas, spec, claimTemplates }) => {
    const templates = claimTemplates.map((claim) => ({
      name: textAt(claim, 'metadata', 'name') ?? 'data',
      spec: treeAt(claim, 'spec'),
    }))
    const ephemeral = treesAt(spec, 'volumes')
      .filter((volume) => 'ephemeral' in volume)
      .map((volume) => ({
        name: textAt(volume, 'name') ?? 'scratch',
        spec: treeAt(volume, 'ephemeral', 'volumeClaimTemplate', 'spec'),
      }))
    return [...templates, ...ephemeral].map((claim) =>
      volumeOf(
        `${who}, volume ${claim.name}`,
        `${claim.name}-${name}`,
        claim.spec,
        replicas,
        options,
        nameOf,
        findings,
      ),
    )
  })
  noteMissingClaims(claims, pods, findings)
  return [...standing, ...perReplica].filter((volume) => volume !== undefined)
}

function volumeOf(
  who: string,
  name: string,
  spec: Tree,
  count: number,
  options: StorageOptions,
  nameOf: (text: string) => string,
  findings: Findings,
): Volume | undefined {
  const size = textAt(spec, 'resources', 'requests', 'storage')
  const asked = textAt(spec, 'storageClassName') || undefined
  const storageClass = asked === undefined ? options.defaultStorageClass : (options.storageClasses[asked] ?? asked)
  const modes = Array.isArray(spec['accessModes']) ? spec['accessModes'] : []
  if (size === undefined || !isQuantity(size))
    findings.errors.push(`${who}: its size is ${size ?? 'not given'}; a quantity such as 10Gi is needed`)
  if (storageClass === undefined)
    findings.errors.push(`${who}: no storage class; add it, or give --default-storage-class`)
  if (spec['volumeMode'] === 'Block')
    findings.notes.push(`${who} wants a raw block device; a hosting request has no word for that`)
  if (size === undefined || storageClass === undefined) return undefined
  const shared = modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')
  return {
    name: nameOf(name),
    storageClass,
    size,
    accessMode: shared ? 'ReadWriteMany' : 'ReadWriteOnce',
    ...(count > 1 && { count }),
  }
}

/** A claim that pods use and nobody here makes takes room that was not counted. */
function noteMissingClaims(claims: readonly Tree[], pods: readonly PodSet[], findings: Findings): void {
  const made = new Set(claims.map((claim) => textAt(claim, 'metadata', 'name')))
  for (const { who, spec, claimTemplates } of pods) {
    const own = new Set(claimTemplates.map((claim) => textAt(claim, 'metadata', 'name')))
    for (const volume of treesAt(spec, 'volumes')) {
      const claim = textAt(volume, 'persistentVolumeClaim', 'claimName')
      if (claim !== undefined && !made.has(claim) && !own.has(claim)) {
        findings.notes.push(`${who} uses claim ${claim}, which is not in these manifests: its storage is not counted`)
      }
    }
  }
}
