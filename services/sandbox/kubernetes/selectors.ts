/** Label and field selectors, as query parameters have them. */
import { isRecord, type Stored } from './objects.ts'
import { badRequest } from './status.ts'

export type Matcher = (object: Stored) => boolean

export interface Selectors {
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

/** Both at once; throws `BadRequest` on what is none. */
export function matcherOf(kind: string, { labelSelector, fieldSelector }: Selectors): Matcher {
  const matchers = [
    ...(labelSelector ? [labelMatcher(labelSelector)] : []),
    ...(fieldSelector ? [fieldMatcher(kind, fieldSelector)] : []),
  ]
  return (object) => matchers.every((matches) => matches(object))
}

type Labels = Readonly<Record<string, string>>

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
function labelMatcher(selector: string): Matcher {
  const terms = (selector.match(/(?:[^,(]|\([^)]*\))+/g) ?? []).map((term) => labelTerm(term.trim()))
  return ({ metadata }) => terms.every((matches) => matches(metadata.labels ?? {}))
}

function labelTerm(term: string): (labels: Labels) => boolean {
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    return (labels) => (operator === 'in') === (labels[key] !== undefined && values.includes(labels[key]))
  }
  const equal = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(term)
  if (equal) {
    const [, key = '', operator, value] = equal
    return (labels) => (operator === '!=') !== (labels[key] === value)
  }
  const exists = /^(!?)\s*([\w./-]+)$/.exec(term)
  if (!exists) throw badRequest(`unable to parse requirement: ${term}`)
  const [, not, key = ''] = exists
  return (labels) => (not === '!') !== key in labels
}

/** The selector of an object, such as a disruption budget. */
export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

/** An absent selector chooses nothing, an empty one everything. */
export function matchesLabels(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (!selector) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const found = labels[key]
      if (operator === 'Exists' || operator === 'DoesNotExist') return (operator === 'Exists') === (found !== undefined)
      return (operator === 'In') === (found !== undefined && values.includes(found))
    })
  )
}

/** What can be chosen by beside name and namespace. */
const fields: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
  Secret: ['type'],
  Event: [
    'involvedObject.kind',
    'involvedObject.name',
    'involvedObject.namespace',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'type',
  ],
}

/** `metadata.name=x,spec.nodeName!=y`. */
function fieldMatcher(kind: string, selector: string): Matcher {
  const terms = selector.split(',').map((text) => {
    const term = /^([\w.]+)\s*(==|=|!=)\s*(.*)$/.exec(text.trim())
    if (!term) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`)
    const [, path = '', operator, value] = term
    if (!['metadata.name', 'metadata.namespace'].includes(path) && !fields[kind]?.includes(path)) {
      throw badRequest(`field label not supported: ${path}`)
    }
    return { path: path.split('.'), isNot: operator === '!=', value }
  })
  return (object) =>
    terms.every(({ path, isNot, value }) => {
      const found = path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), object) ?? ''
      return isNot !== (String(found) === value)
    })
}
