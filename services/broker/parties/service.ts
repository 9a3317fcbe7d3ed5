/** Parties: the loket admits them and hands out their tokens. */
import type { Party, PartyInput, Role, Token, TokenInput } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { isUniqueViolation, type Sql } from '../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../shared/http/paging.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { issueToken } from '../identity/index.ts'
import { insertParty, type PartyRow, selectParties, selectParty } from './store.ts'

/** Admits a party. Throws `already-exists` when its OIN is known. */
export async function admitParty(sql: Sql, kit: Kit, caller: Caller, input: PartyInput): Promise<Party> {
  const id = newId('pty', kit.clock, kit.random)
  try {
    const row = await insertParty(sql, id, input, new Date(kit.clock.now()))
    const event = {
      type: 'party.admitted',
      subject: { kind: 'party', id },
      partyId: id,
      actor: actorOf(caller),
      requestId: caller.requestId,
    }
    await appendEvents(sql, kit, [{ ...event, data: { name: input.name, roles: input.roles } }])
    return partyView(row)
  } catch (error) {
    if (isUniqueViolation(error))
      throw new Problem('already-exists', `A party with OIN ${input.oin} is admitted already`)
    throw error
  }
}

export async function listParties(kit: Kit, page: PageRequest, oin?: string) {
  return readPage(page, (part) => selectParties(kit.database, part, oin), partyView)
}

/** Throws `not-found`. */
export async function getParty(sql: Sql, id: string): Promise<Party & { version: number }> {
  const row = await selectParty(sql, id)
  if (!row) throw new Problem('not-found', `There is no party ${id}`)
  return { ...partyView(row), version: row.version }
}

/** Issues a token with a role that the party has. Throws `not-found`, `state-conflict`. */
export async function grantToken(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  partyId: string,
  input: TokenInput,
): Promise<Token> {
  const party = await getParty(sql, partyId)
  if (!party.roles.includes(input.role as Role))
    throw new Problem('state-conflict', `${party.name} does not have the role ${input.role}`)
  const expiresAt = input.expiresAt === undefined ? null : new Date(input.expiresAt)
  const grant = { partyId, subject: input.subject, role: input.role, expiresAt }
  const issued = await issueToken(sql, kit, grant, { actor: actorOf(caller), requestId: caller.requestId })
  return { ...issued, ...input }
}

function partyView(row: PartyRow): Party {
  const { id, name, oin, roles } = row
  return {
    id,
    name,
    oin,
    roles,
    createdAt: rfc3339(row.created_at.getTime()),
    updatedAt: rfc3339(row.updated_at.getTime()),
  }
}
