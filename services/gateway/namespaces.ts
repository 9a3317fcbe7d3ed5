/** The namespaces of a caller as objects: those of his hostings, made here, and the same before and after a move. */
import { createHash } from 'node:crypto'
import { rfc3339 } from '../shared/clock.ts'
import type { Wanted } from './accept.ts'
import type { Space, View } from './directory.ts'
import { matcherOf } from './selectors.ts'

type Json = Record<string, unknown>

const fields = ['metadata.name', 'status.phase']
const columns = [
  { name: 'Name', type: 'string', format: 'name', description: 'The name of the hosting', priority: 0 },
  { name: 'Status', type: 'string', format: '', description: 'Whether it is there or on its way out', priority: 0 },
  { name: 'Age', type: 'string', format: '', description: 'Since the hosting was asked for', priority: 0 },
  { name: 'Datacenter', type: 'string', format: '', description: 'Where it is active', priority: 1 },
  { name: 'System', type: 'string', format: '', description: 'What runs in it', priority: 1 },
]

export function namespaceOf(space: Space, resourceVersion: string): Json & { metadata: Json } {
  const { name, hostingId, system, createdMs, site } = space
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      uid: uidOf(hostingId),
      resourceVersion,
      creationTimestamp: rfc3339(createdMs).replace(/\.\d+Z$/, 'Z'),
      labels: labelsOf(space),
      annotations: {
        ...space.written?.annotations,
        'gemeentecloud.nl/system': system,
        ...(site && { 'gemeentecloud.nl/datacenter': site.slug }),
      },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: phaseOf(space) },
  }
}

/** `Pending` is no word of Kubernetes: such a namespace can be seen, and nothing can be made in it yet. */
const phaseOf = ({ state }: Space) => (state === 'ending' ? 'Terminating' : state === 'active' ? 'Active' : 'Pending')

const labelsOf = ({ name, hostingId, written }: Space) => ({
  ...written?.labels,
  'kubernetes.io/metadata.name': name,
  // Helm asks for it where it makes sure of a namespace.
  name,
  'app.kubernetes.io/managed-by': 'gemeentecloud',
  'gemeentecloud.nl/hosting': hostingId,
})

/** A uid that the hosting keeps wherever it goes, in the form that clients know. */
function uidOf(hostingId: string): string {
  const bytes = createHash('sha256').update(`namespace ${hostingId}`).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Those that match the selectors. Throws 400 on one that cannot be read. */
export function selected(view: View, query: URLSearchParams): Space[] {
  const matches = matcherOf(query, fields)
  return [...view.spaces.values()].filter((space) =>
    matches({ labels: labelsOf(space), fields: { 'metadata.name': space.name, 'status.phase': phaseOf(space) } }),
  )
}

export function namespaceList(spaces: readonly Space[], version: string, { form }: Wanted, now: number): object {
  const metadata = { resourceVersion: version }
  if (form === 'table') return tableOf(spaces, version, now)
  const objects = spaces.map((space) => namespaceOf(space, version))
  if (form === 'metadata') {
    const items = objects.map(metadataOnly)
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items }
  }
  return { kind: 'NamespaceList', apiVersion: 'v1', metadata, items: objects }
}

/** One, as the answer to a get or within an event. */
export function namespaceIn(space: Space, version: string, { form }: Wanted, now: number): object {
  if (form === 'table') return tableOf([space], version, now)
  const object = namespaceOf(space, version)
  return form === 'metadata' ? metadataOnly(object) : object
}

function metadataOnly({ metadata }: { metadata: Json }): Json {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

function tableOf(spaces: readonly Space[], version: string, now: number): object {
  const rows = spaces.map((space) => ({
    cells: [space.name, phaseOf(space), ageOf(now - space.createdMs), space.site?.slug ?? '', space.system],
    object: metadataOnly(namespaceOf(space, version)),
  }))
  const metadata = { resourceVersion: version }
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows }
}

/** As kubectl writes ages: the larger the coarser. */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)]
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (hours < 3) return `${minutes}m`
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly space: Space
}

/** What happened between two views, to those that match. */
export function changesBetween(before: View, after: View, query: URLSearchParams): Change[] {
  const was = new Map(selected(before, query).map((space) => [space.name, space]))
  const is = selected(after, query)
  const kept = new Set(is.map(({ name }) => name))
  const gone = [...was.values()]
    .filter(({ name }) => !kept.has(name))
    .map((space) => ({ type: 'DELETED', space }) as const)
  const come = is.flatMap((space): Change[] => {
    const earlier = was.get(space.name)
    if (earlier === undefined) return [{ type: 'ADDED', space }]
    return JSON.stringify(earlier) === JSON.stringify(space) ? [] : [{ type: 'MODIFIED', space }]
  })
  return [...gone, ...come]
}
