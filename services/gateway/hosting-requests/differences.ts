/** What a change of a request would change of what was asked, which is nothing that the desk can do. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { FieldError } from '../../shared/problem.ts'
import type { HostingRequestSpec } from './schema.ts'

const most = 20

/** By JSON Pointer; none when both ask for the same. */
export function differences(
  standing: HostingRequestSpec,
  wanted: HostingRequestSpec,
  createdMs: number,
): readonly FieldError[] {
  const found: FieldError[] = []
  compare('', plain(standing, standing, createdMs), plain(wanted, standing, createdMs), found)
  return found
}

/** With what may be left out filled in as it stands, and instants as one text each. */
function plain(
  { systemSlug, systemId, period, ...rest }: HostingRequestSpec,
  standing: HostingRequestSpec,
  now: number,
) {
  const start = period && Date.parse(period.start)
  const stands = Date.parse(standing.period?.start ?? '')
  // A start in the past has become the moment of the request.
  const kept = start === undefined || (start < stands && stands === now) ? stands : start
  const end = period === undefined ? standing.period?.end : period.end
  return {
    ...rest,
    systemSlug: systemSlug ?? standing.systemSlug,
    systemId: systemId ?? standing.systemId,
    period: { start: kept, end: end ? Date.parse(end) : null },
  }
}

function compare(pointer: string, is: unknown, wanted: unknown, found: FieldError[]): void {
  if (found.length >= most || isDeepStrictEqual(is, wanted)) return
  if (isRecord(is) && isRecord(wanted)) {
    for (const name of new Set([...Object.keys(is), ...Object.keys(wanted)]))
      compare(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, is[name], wanted[name], found)
    return
  }
  if (Array.isArray(is) && Array.isArray(wanted) && is.length === wanted.length) {
    for (const [index, each] of is.entries()) compare(`${pointer}/${index}`, each, wanted[index], found)
    return
  }
  found.push({ pointer, message: `cannot become ${told(wanted)}, it is ${told(is)}: ${why}` })
}

const why = 'what was asked is not changed; ask under another name, and end this one when that runs'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const told = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value).slice(0, 80))

/** RFC 7396. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatched(merged[name], value)
  }
  return merged
}
