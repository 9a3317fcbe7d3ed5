/** Manifests in, components and volumes of a hosting request out; or everything that stands in the way, at once. */
import type { HostingInput } from '../../../schemas/index.ts'
import type { Findings } from './findings.ts'
import { type DefaultRequests, nodeWishes, onePerNode, podRequests } from './pod.ts'
import { type Tree, textAt } from './tree.ts'
import { type StorageOptions, type Volume, volumesOf } from './volumes.ts'
import { objectsOf, type PodSet, podSetOf, scaledTo } from './workloads.ts'

type Component = HostingInput['components'][number]

export interface ManifestOptions extends StorageOptions {
  readonly defaultRequests: DefaultRequests
  /** Whether Jobs and CronJobs are counted as if they always ran. */
  readonly jobs: 'count' | 'leave-out'
}

export type ManifestResult =
  | {
      readonly ok: true
      readonly components: readonly Component[]
      readonly volumes: readonly Volume[]
      /** What was counted how, and what was not; for people. */
      readonly notes: readonly string[]
    }
  | { readonly ok: false; readonly errors: readonly string[] }

/** `documents` are the values of the YAML documents, in order. Nothing is guessed: what is missing is named. */
export function demandFrom(documents: readonly unknown[], options: ManifestOptions): ManifestResult {
  const findings: Findings = { errors: [], notes: [] }
  const objects = objectsOf(documents, findings)
  const scaled = scaledTo(objects)
  const pods = objects
    .map((object) => podSetOf(object, options.jobs, scaled, findings))
    .filter((set) => set !== undefined)
  const componentName = uniqueNames()
  const components = pods.map((set) => componentOf(set, componentName(set.name, set.kind), options, findings))
  const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim')
  const volumes = volumesOf(claims, pods, options, uniqueNames(), findings)
  noteNamespaces(objects, findings)
  if (components.length === 0 && findings.errors.length === 0) {
    findings.errors.push('these manifests make no pods, so there is nothing to host')
  }
  if (findings.errors.length > 0) return { ok: false, errors: findings.errors }
  return { ok: true, components, volumes, notes: findings.notes }
}

function componentOf(set: PodSet, name: string, options: ManifestOptions, findings: Findings): Component {
  const wishes = nodeWishes(set.spec)
  if (wishes.length > 0) {
    findings.notes.push(
      `${set.who} wants certain nodes (${wishes.join(', ')}), which a request has no word for: check the place it gets`,
    )
  }
  return {
    name,
    replicas: set.replicas,
    requests: podRequests(set.who, set.spec, options.defaultRequests, findings),
    ...(set.replicas > 1 && onePerNode(set.spec, set.labels) && { onePerNode: true }),
  }
}

/** Makes DNS labels (at most 63 characters), each once: a second `web` becomes `web-job`, or `web-2`. */
function uniqueNames(): (text: string, kind?: string) => string {
  const taken = new Set<string>()
  return (text, kind) => {
    const label = asLabel(text)
    const named = kind === undefined ? [] : [asLabel(label, `-${kind.toLowerCase()}`)]
    const numbered = Array.from({ length: taken.size + 1 }, (_, index) => asLabel(label, `-${index + 2}`))
    const free = [label, ...named, ...numbered].find((name) => !taken.has(name)) ?? label
    taken.add(free)
    return free
  }
}

function asLabel(text: string, suffix = ''): string {
  const letters = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
  return `${letters.slice(0, 63 - suffix.length).replace(/-+$/, '') || 'x'}${suffix}`
}

function noteNamespaces(objects: readonly Tree[], findings: Findings): void {
  const named = new Set(
    objects.map((object) => textAt(object, 'metadata', 'namespace')).filter((name) => name !== undefined),
  )
  if (named.size > 1) {
    findings.notes.push(
      `these manifests speak of namespaces ${[...named].sort().join(', ')}; a hosting is one, so all was counted together`,
    )
  }
}
