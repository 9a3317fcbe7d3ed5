/** Room and nodes for a standby, by what of it runs while nothing is lost. */
import type { Request } from './demand.ts'
import type { Ruling } from './explain.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { Witness } from './model.ts'
import { hasRoomUnshared, isRoom, type Room, roomAt } from './reserve.ts'
import type { Site } from './snapshot.ts'

/** Whether the offers have room for it as a standby for these domains. */
export function standbyRoom(site: Site, request: Request, domains: readonly string[]): Room | Ruling {
  const { need, period, demand, warm } = request
  if (demand.fallback.mode === 'hot') return roomAt(site, need, period, undefined)
  if (warm) {
    const room = roomAt(site, warm.running.need, period, undefined)
    if (!isRoom(room)) return room
  }
  return roomAt(site, need, period, domains)
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
  if (!isWitness(running)) return running
  const resting = fitNodes(site, warm.resting, domains, { request: warm.running, witness: running })
  return isWitness(resting) ? [...running, ...resting] : resting
}
