/** Whether a party has room for one more hosting, without counting all that it has each time. */
import { type Ceilings, requireRoom } from '../../shared/ceilings.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import { countHostings } from './store.ts'

/** Takes room for one. Throws `limit-reached`. */
export type Room = (sql: Sql, partyId: string) => Promise<void>

const believedMs = 1_000

/**
 * Of the room that a count found, half may be taken within a second before there is a new count: near its ceiling a party
 * is counted for each request, far from it hardly ever. Other replicas may give out as much of the same room meanwhile.
 */
export function createRoom(clock: Clock, ceilings: Ceilings): Room {
  const believed = new Map<string, { left: number; readonly until: number }>()
  return async (sql, partyId) => {
    const known = believed.get(partyId)
    if (known && known.left > 0 && clock.monotonic() < known.until) {
      known.left--
      return
    }
    const { living, unplaced } = await countHostings(sql, partyId)
    requireRoom(living, ceilings.hostings, 'hostings of this party')
    requireRoom(unplaced, ceilings.unplacedHostings, 'hostings of this party that are not placed')
    const room = Math.min(ceilings.hostings - living, ceilings.unplacedHostings - unplaced)
    believed.set(partyId, { left: Math.floor(room / 2), until: clock.monotonic() + believedMs })
  }
}
