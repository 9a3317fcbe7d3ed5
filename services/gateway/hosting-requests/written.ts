/** Labels and annotations of an object at the gateway, and how each way of writing changes them. Pure. */
import { invalid } from './invalid.ts'

type Texts = Readonly<Record<string, string>>

export interface Written {
  readonly labels: Texts
  readonly annotations: Texts
  /** Who applied which of them, so that who applies fewer takes back the others. */
  readonly managers: Readonly<
    Record<string, { readonly labels: readonly string[]; readonly annotations: readonly string[] }>
  >
}

export const nothingWritten: Written = { labels: {}, annotations: {}, managers: {} }

type Json = Readonly<Record<string, unknown>>

/** As much as an API server takes. */
const largest = 256 * 1024
const mostNames = 50
const key = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/** All of it is as this object says. Throws 422, as all that follow do. */
export function replacedBy(metadata: Json, before = nothingWritten): Written {
  return checked({ ...before, labels: textsOf(metadata, 'labels'), annotations: textsOf(metadata, 'annotations') })
}

/** By a merge patch: what is null goes, what is named changes, the rest stays. */
export function mergedWith(before: Written, metadata: Json): Written {
  const merged = (part: 'labels' | 'annotations') => {
    const given = metadata[part]
    if (given === undefined) return before[part]
    if (given === null) return {}
    const all = { ...before[part], ...(given as Json) }
    return textsOf({ [part]: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) }, part)
  }
  return checked({ ...before, labels: merged('labels'), annotations: merged('annotations') })
}

/** By a server-side apply: what the manager named before and names no longer goes, unless another manager names it too. */
export function appliedBy(manager: string, before: Written, metadata: Json): Written {
  const { [manager]: earlier, ...others } = before.managers
  const given = { labels: textsOf(metadata, 'labels'), annotations: textsOf(metadata, 'annotations') }
  const applied = (part: 'labels' | 'annotations') => {
    const kept = new Set(Object.values(others).flatMap((other) => other[part]))
    const gone = new Set(earlier?.[part].filter((name) => !kept.has(name)))
    const rest = Object.entries(before[part]).filter(([name]) => !gone.has(name))
    return { ...Object.fromEntries(rest), ...given[part] }
  }
  const named = { labels: Object.keys(given.labels), annotations: Object.keys(given.annotations) }
  return checked({
    labels: applied('labels'),
    annotations: applied('annotations'),
    managers: { ...others, [manager]: named },
  })
}

function textsOf(metadata: Json, part: 'labels' | 'annotations'): Texts {
  const given = metadata[part] ?? {}
  const wrong = (pointer: string, message: string) => invalid([{ field: `metadata.${part}${pointer}`, message }])
  if (typeof given !== 'object' || Array.isArray(given)) throw wrong('', 'must be an object: names with their text')
  for (const [name, value] of Object.entries(given)) {
    if (!key.test(name)) throw wrong('', `${JSON.stringify(name.slice(0, 80))} is no name of Kubernetes`)
    if (typeof value !== 'string') throw wrong(`[${name}]`, 'must be text')
    if (part === 'labels' && !labelValue.test(value)) throw wrong(`[${name}]`, 'is no value of a label')
  }
  return given as Texts
}

function checked(written: Written): Written {
  if (JSON.stringify(written).length > largest)
    throw invalid([{ field: 'metadata.annotations', message: `is larger than ${largest} bytes` }])
  return written
}

/** Whether both say the same, whatever stands first. */
export function sameWritten(a: Written, b: Written): boolean {
  const text = ({ labels, annotations, managers }: Written) => JSON.stringify(sorted({ labels, annotations, managers }))
  return text(a) === text(b)
}

/** Of the labels or annotations that are there before or after, those that are other; so many as can be told. */
export function changedNames(before: Written, after: Written, part: 'labels' | 'annotations'): string[] {
  const names = new Set([...Object.keys(before[part]), ...Object.keys(after[part])])
  return [...names].filter((name) => before[part][name] !== after[part][name]).slice(0, mostNames)
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  )
}
