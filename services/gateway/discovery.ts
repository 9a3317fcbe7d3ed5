/** What the clusters serve: read of each, kept for a while, and for a caller what all of his share. */
import type { Clock } from '../shared/clock.ts'
import { Unreachable } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'
import { type Groups, readGroups } from './catalogue.ts'
import type { Member } from './members.ts'
import { bodyOf, type Upstream } from './upstream.ts'

/** What one cluster says of itself. */
export interface Discovered {
  readonly groups: Groups
  readonly version: Readonly<Record<string, unknown>>
}

export interface Discovery {
  /** Undefined while it has never answered. What was read last stands in while it does not answer. */
  of(member: Member, maxAgeMs?: number): Promise<Discovered | undefined>
}

const usuallyBelievedMs = 60_000
/** A cluster that does not answer is not asked with each request. */
const retryMs = 2_000
const documentBytes = 32 * 2 ** 20
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

interface Entry {
  found: Discovered | undefined
  at: number
  failedAt: number
  reading: Promise<Discovered | undefined> | undefined
}

/** `believedMs`: for how long what a cluster said is not asked again. */
export function createDiscovery(
  upstream: Upstream,
  clock: Clock,
  log: Logger,
  believedMs = usuallyBelievedMs,
): Discovery {
  const known = new WeakMap<Member, Entry>()

  const get = async (member: Member, path: string, accept: string): Promise<unknown> => {
    const signal = AbortSignal.any([])
    const answer = await upstream.send(member, { method: 'GET', path, headers: { accept }, signal })
    const body = await bodyOf(answer, documentBytes)
    if (answer.statusCode !== 200) throw new Unreachable(`${path} answered ${answer.statusCode}`)
    return JSON.parse(body.toString('utf8'))
  }
  const read = async (member: Member): Promise<Discovered> => {
    const [core, named, version] = await Promise.all([
      get(member, '/api', aggregated),
      get(member, '/apis', aggregated),
      get(member, '/version', 'application/json'),
    ])
    return { groups: readGroups([core, named]), version: version as Record<string, unknown> }
  }

  return {
    async of(member, maxAgeMs = believedMs) {
      const entry = known.get(member) ?? {
        found: undefined,
        at: Number.NEGATIVE_INFINITY,
        failedAt: Number.NEGATIVE_INFINITY,
        reading: undefined,
      }
      known.set(member, entry)
      const now = clock.monotonic()
      if (now - entry.at < maxAgeMs || now - entry.failedAt < retryMs) return entry.found
      entry.reading ??= read(member)
        .then((found) => {
          entry.found = found
          entry.at = clock.monotonic()
          return found
        })
        .catch((error: Error) => {
          entry.failedAt = clock.monotonic()
          log.warn({ datacenter: member.slug, err: error }, 'the discovery of a datacenter could not be read')
          return entry.found
        })
        .finally(() => {
          entry.reading = undefined
        })
      // What stood a minute ago mostly still does: only who has nothing waits for the answer.
      return entry.found && maxAgeMs === believedMs ? entry.found : entry.reading
    },
  }
}
