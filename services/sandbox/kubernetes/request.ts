/** What a request to an API server asks for, read from its path once and strictly. */
import { type KindInfo, kindAt } from './kinds.ts'
import { badRequest, noSuchPath } from './status.ts'

export interface Target {
  readonly info: KindInfo
  readonly namespace: string | undefined
  /** Absent for a whole collection. */
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** The segments of a path, decoded. Throws `BadRequest` on a path that could be read in two ways. */
export function segmentsOf(path: string): string[] {
  const raw = path.split('/').slice(1)
  if (raw.at(-1) === '') raw.pop()
  return raw.map((segment) => {
    let text: string
    try {
      text = decodeURIComponent(segment)
    } catch {
      throw badRequest('the path has a broken percent escape')
    }
    if (text === '' || text === '.' || text === '..' || /[/\\]/.test(text))
      throw badRequest('the path is not canonical')
    return text
  })
}

/** The resource that `/api/v1/…` or `/apis/GROUP/VERSION/…` names. Throws `NotFound` on one that is not served. */
export function targetOf(segments: readonly string[]): Target {
  const [root, ...rest] = segments
  const [group, version, parts] =
    root === 'api' ? ['', rest[0], rest.slice(1)] : [rest[0] ?? '', rest[1], rest.slice(2)]
  const isInNamespace = parts[0] === 'namespaces' && parts.length > 2 && !namespaceParts.has(parts[2] ?? '')
  const [plural = '', name, subresource, ...more] = isInNamespace ? parts.slice(2) : parts
  const info = kindAt(group, version ?? '', plural)
  if (!info || more.length > 0 || (root !== 'api' && root !== 'apis')) throw noSuchPath()
  if (isInNamespace && !info.namespaced) throw noSuchPath()
  // Only a whole collection is named across all namespaces.
  if (!isInNamespace && info.namespaced && name !== undefined) throw noSuchPath()
  return { info, namespace: isInNamespace ? parts[1] : undefined, name, subresource }
}

const namespaceParts = new Set(['status', 'finalize'])
