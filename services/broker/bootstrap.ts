/** The first party: a desk that nobody could admit yet, and a token that its operator knows. Repeating it changes nothing. */
import { newId } from '../shared/ids.ts'
import type { Kit } from '../shared/kit.ts'
import { appendEvents } from './audit/index.ts'
import { issueToken } from './identity/index.ts'
import { ensureLoket } from './parties/index.ts'

export interface Desk {
  readonly name: string
  readonly oin: string
}

const broker = { actor: 'broker', requestId: null }

/** Admits the loket itself and makes `token` valid for it. Returns the loket's party id. */
export async function bootstrapDesk(kit: Kit, desk: Desk, token: string): Promise<string> {
  return kit.database.transaction(async (sql) => {
    const { id, created } = await ensureLoket(sql, newId('pty', kit.clock, kit.random), desk, new Date(kit.clock.now()))
    if (created) {
      const event = { type: 'party.admitted', subject: { kind: 'party', id }, partyId: id, ...broker }
      await appendEvents(sql, kit, [{ ...event, data: { name: desk.name, roles: ['loket'] } }])
    }
    await issueToken(sql, kit, { partyId: id, subject: 'bootstrap', role: 'loket', expiresAt: null }, broker, token)
    return id
  })
}
