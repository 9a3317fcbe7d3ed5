/** Hosting requests at the gateway: who may see and write which, and what serves them. */
import type { Kit } from '../../shared/kit.ts'
import { answerJson, type Exchange } from '../exchange.ts'
import { noSuchResource, refusal } from '../status.ts'
import type { Resource } from '../target.ts'
import { createBook } from './book.ts'
import { createDesk } from './desk.ts'
import { noSuchRequest } from './invalid.ts'
import { resource, version } from './kind.ts'
import type { RequestDependencies } from './placing.ts'
import { type ReadDependencies, readRequests } from './read.ts'
import { listOf } from './shown.ts'
import { writeRequest } from './write.ts'

export type HostingRequests = RequestDependencies & ReadDependencies

/** `deskUrl`: the origin of the API of the desk. */
export function createHostingRequests(kit: Kit, deskUrl: string | undefined): HostingRequests {
  const { clock, random, database } = kit
  return { clock, random, database, book: createBook(kit), desk: createDesk(deskUrl) }
}

const looks = new Set(['get', 'list', 'watch'])

/** `seen`: whether who asks sees the hostings of its party here. */
export async function serveRequests(
  deps: HostingRequests,
  target: Resource,
  seen: boolean,
  exchange: Exchange,
): Promise<void> {
  if (target.resource !== resource || target.version !== version || target.namespace !== undefined)
    throw noSuchResource()
  if (target.subresource !== undefined) throw noSuchResource()
  if (!looks.has(target.verb)) return writeRequest(deps, target, exchange)
  if (seen) return readRequests(deps, target, exchange)
  if (target.verb === 'get') throw noSuchRequest(target.name ?? '')
  if (target.verb === 'watch') throw refusal(403, 'there is nothing to watch: hostings are those of a consumer')
  answerJson(exchange.response, 200, listOf([], 1, 'object', deps.book.text, deps.clock.now()))
}
