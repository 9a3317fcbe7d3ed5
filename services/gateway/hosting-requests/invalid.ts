/** What cannot be: 422 with a cause for each field, and 409 for what has changed meanwhile. */
import { Refusal, refusal, statusOf } from '../status.ts'
import { group, kind, resource } from './kind.ts'

export interface Cause {
  readonly field: string
  readonly message: string
}

export interface Subject {
  readonly kind: string
  readonly name?: string
}

/** As an API server words an object that is not valid. */
export function invalid(causes: readonly Cause[], { kind: of, name = '' }: Subject = { kind }): Refusal {
  const told = causes.map(({ field, message }) => `${field}: ${message}`)
  const list = told.length === 1 ? told[0] : `[${told.join(', ')}]`
  const what = of === kind ? `${kind}.${group}` : of
  return refusal(422, `${what} "${name}" is invalid: ${list}`, {
    details: {
      ...(name !== '' && { name }),
      ...(of === kind && { group }),
      kind: of,
      causes: causes.map(({ field, message }) => ({ reason: 'FieldValueInvalid', message, field })),
    },
  })
}

export function conflict(name: string, message: string): Refusal {
  const details = { name, group, kind: resource }
  const text = `Operation cannot be fulfilled on ${resource}.${group} "${name}": ${message}`
  return new Refusal({ ...statusOf(409, text, details), reason: 'Conflict' })
}

export const exists = (name: string, what = `${resource}.${group}`) =>
  refusal(409, `${what} "${name}" already exists`, { details: { name, kind: what.split('.')[0] } })

export const noSuchRequest = (name: string) =>
  refusal(404, `${resource}.${group} "${name}" not found`, { details: { name, group, kind: resource } })
