/** Room and nodes for a standby, by what of it runs while nothing is lost. */
import type { Request } from './demand.ts'
import type { Ruling } from './explain.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { Witness } from './model.ts'
import { hasRoomUnshared, isRoom, type Room, roomAt } from './reserve.ts'
import type { Need } from './resources.ts'
import type { Site } from './snapshot.ts'

/** Whether the offers have room for it as a standby for these domains. */
export function standbyRoom(site: Site, request: Request, domains: readonly string[]): Room | Ruling {
  const { need, period, demand, warm } = request
  if (demand.fallback.mode === 'hot') return roomAt(site, need, period, 'runs')
  if (warm) {
    const room = roomAt(site, warm.running.need, period, 'runs')
    if (!isRoom(room)) return ofPart(room, 'running')
  }
  const room = roomAt(site, need, period, domains)
  return warm && !isRoom(room) ? ofPart(besideRunning(room, warm.resting.need), 'reserved') : room
}

/** Of a warm standby's whole need what runs has room: what is short is short for what rests. */
function besideRunning(ruling: Ruling, resting: Need): Ruling {
  const asked = resting.find(({ resource }) => resource === ruling.resource)?.amount
  if (asked === undefined) return ruling
  const { missing } = ruling
  return { ...ruling, asked, ...(missing !== undefined && { available: asked - missing }) }
}

/** What is no matter of one part: that there is no offer, and that others have lost their nodes. */
function ofPart(ruling: Ruling, part: NonNullable<Ruling['part']>): Ruling {
  return ruling.rule === 'offer-period' || ruling.rule === 'node-displaced' ? ruling : { ...ruling, part }
}

/** A quick yes: it has room even if it shares nothing. */
export function hasStandbyRoom(site: Site, { need, period, demand }: Request): boolean {
  return demand.fallback.mode === 'cold' && hasRoomUnshared(site, need, period)
}

/** A seat for every replica; of a warm standby those that run come first. */
export function seatStandby(site: Site, request: Request, domains: readonly string[]): Witness | Ruling {
  const { warm } = request
  if (request.demand.fallback.mode === 'hot') return fitNodes(site, request, undefined)
  if (!warm) return fitNodes(site, request, domains)
  const running = fitNodes(site, warm.running, undefined)
  if (!isWitness(running)) return ofPart(running, 'running')
  const resting = fitNodes(site, warm.resting, domains, { request: warm.running, witness: running })
  return isWitness(resting) ? [...running, ...resting] : ofPart(resting, 'reserved')
}
