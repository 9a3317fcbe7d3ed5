/** Asking for a hosting in the name of the caller, and what is wrong with what he asks. */
import type { Clock } from '../../shared/clock.ts'
import type { Database } from '../../shared/db/database.ts'
import type { FieldError } from '../../shared/problem.ts'
import type { Random } from '../../shared/random.ts'
import type { Exchange } from '../exchange.ts'
import { refusal } from '../status.ts'
import type { Book } from './book.ts'
import type { Desk } from './desk.ts'
import { exists, invalid, type Subject } from './invalid.ts'
import { keepWritten } from './keep.ts'
import { group, resource } from './kind.ts'
import { fieldPath, type HostingRequestSpec, inputOf, nameErrors, readSpec } from './schema.ts'
import { lockWritten, type ObjectKind, selectLastOfName, selectSystemId } from './store.ts'
import { nothingWritten, type Written } from './written.ts'

export interface RequestDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly database: Database
  readonly book: Book
  readonly desk: Desk
}

export interface Asked {
  readonly name: string
  readonly spec: HostingRequestSpec
  readonly systemId: string
  /** Of the new hosting; undefined when it was only tried. */
  readonly hostingId: string | undefined
}

export interface Asking {
  readonly name: unknown
  readonly spec: unknown
  readonly written: Written
  readonly as: ObjectKind
  /** Where the fields of the request stand in the object. */
  readonly at: string
  readonly dry: boolean
}

/** Who only looks may not ask either, also where nothing is asked of the desk. Throws 403. */
export function requireConsumer({ principal }: Exchange, verb: string, what = `${resource}.${group}`): void {
  if (principal.role === 'consumer') return
  throw refusal(403, `${what} is forbidden: a token of role ${principal.role} cannot ${verb}; a consumer can`)
}

/** Throws 422 with a cause for each field, 409 when the name is taken, and whatever else the desk says. */
export async function askHosting(
  deps: RequestDependencies,
  { name, spec: given, written, as, at, dry }: Asking,
  { principal, request }: Exchange,
): Promise<Asked> {
  const { database, book, desk } = deps
  const { partyId } = principal
  const subject: Subject = { kind: as, ...(typeof name === 'string' && { name: name.slice(0, 253) }) }
  const wrong = (errors: readonly FieldError[]) =>
    invalid(
      errors.map(({ pointer, message }) => ({ field: `${at}${fieldPath(pointer)}`, message })),
      subject,
    )
  const misnamed = nameErrors(name)
  if (misnamed.length > 0 || typeof name !== 'string')
    throw invalid(
      misnamed.map(({ message }) => ({ field: 'metadata.name', message })),
      subject,
    )
  if ((await book.current(partyId)).items.has(name))
    throw as === 'Namespace' ? exists(name, 'namespaces') : exists(name)
  const read = readSpec(given)
  if (!read.ok) throw wrong(read.errors)
  const { spec } = read
  const found = spec.systemSlug === undefined ? spec.systemId : await selectSystemId(database, partyId, spec.systemSlug)
  if (found === undefined)
    throw wrong([{ pointer: '/systemSlug', message: 'is not a system of this party; gemeentecloud system list' }])
  if (spec.systemId !== undefined && spec.systemId !== found)
    throw wrong([{ pointer: '/systemId', message: 'is not the system that systemSlug names' }])
  const asked = { name, spec, systemId: found }
  if (dry) return { ...asked, hostingId: undefined }
  const previous = await selectLastOfName(database, partyId, name)
  const answer = await desk.ask(request.headers.authorization ?? '', inputOf(name, found, spec), previous)
  if (!answer.ok) {
    const ofName = answer.errors.filter(({ pointer }) => pointer === '/name')
    if (ofName.length > 0)
      throw invalid(
        ofName.map(({ message }) => ({ field: 'metadata.name', message })),
        subject,
      )
    throw wrong(answer.errors)
  }
  const { id: hostingId } = answer.hosting
  await database.transaction(async (sql) => {
    const before = (await lockWritten(sql, hostingId, as)) ?? nothingWritten
    await keepWritten(sql, deps, principal, { hostingId, kind: as, before, after: written })
  })
  return { ...asked, hostingId }
}
