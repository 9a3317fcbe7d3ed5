/** Label and field selectors for the objects that the gateway answers itself. Pure; what cannot be read is refused. */
import { refusal } from './status.ts'

export interface Selectable {
  readonly labels: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
}

export type Matches = (object: Selectable) => boolean

/** Throws 400 on a selector that cannot be read, or a field that cannot be selected by. */
export function matcherOf(query: URLSearchParams, fields: readonly string[]): Matches {
  const labels = split(query.get('labelSelector') ?? '').map(labelRequirement)
  const named = split(query.get('fieldSelector') ?? '').map((text) => fieldRequirement(text, fields))
  return (object) => labels.every((matches) => matches(object)) && named.every((matches) => matches(object))
}

/** At commas that are not within brackets. */
function split(text: string): string[] {
  return text.trim() === '' ? [] : text.split(/,(?![^(]*\))/).map((part) => part.trim())
}

const key = '((?:[a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)'
const value = '([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?'

function labelRequirement(text: string): Matches {
  const equal = new RegExp(`^${key}\\s*(==|=|!=)\\s*(${value})$`).exec(text)
  if (equal) {
    const [, name = '', , operator, wanted = ''] = equal
    return ({ labels }) => (labels[name] === wanted) === (operator !== '!=')
  }
  const within = new RegExp(`^${key}\\s+(in|notin)\\s*\\(([^()]*)\\)$`).exec(text)
  if (within) {
    const [, name = '', , operator, list = ''] = within
    const values = list.split(',').map((each) => each.trim())
    if (!values.every((each) => new RegExp(`^${value}$`).test(each))) throw unreadable('labelSelector')
    return ({ labels }) => {
      const held = labels[name]
      return (held !== undefined && values.includes(held)) === (operator === 'in')
    }
  }
  const exists = new RegExp(`^(!?)\\s*${key}$`).exec(text)
  if (!exists) throw unreadable('labelSelector')
  const [, not, name = ''] = exists
  return ({ labels }) => name in labels === (not === '')
}

function fieldRequirement(text: string, known: readonly string[]): Matches {
  const [, name = '', operator, wanted = ''] = /^([A-Za-z0-9.]+)(==|=|!=)(.*)$/.exec(text) ?? []
  if (operator === undefined) throw unreadable('fieldSelector')
  if (!known.includes(name)) throw refusal(400, `field label not supported: ${name.slice(0, 60)}`)
  return ({ fields }) => (fields[name] === wanted) === (operator !== '!=')
}

const unreadable = (name: string) => refusal(400, `${name} cannot be read`)
