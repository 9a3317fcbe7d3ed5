/** A watch over many namespaces and clusters as one: each cell follows its own, and every event carries where all of them are. */
import type { Clock } from '../../shared/clock.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import { Unreachable } from '../../shared/kubernetes/index.ts'
import type { Random } from '../../shared/random.ts'
import { type Status, statusOf } from '../status.ts'
import { bodyOf, type Upstream } from '../upstream.ts'
import type { Cell, Spread } from './cells.ts'
import { writeCursor } from './cursor.ts'
import { linesOf } from './lines.ts'
import { requireOwn } from './own.ts'
import { readStatus } from './page.ts'

export interface WatchRequest {
  readonly spread: Spread
  readonly accept: string
  readonly query: URLSearchParams
  /** Per member: from where; 0n where nothing has been seen, which ends the watch as soon as there is something to see. */
  readonly versions: readonly bigint[]
  readonly bookmarks: boolean
  /** What is made of an event of a member before it is told. */
  readonly shaped?: ((event: WatchEvent, slug: string) => WatchEvent) | undefined
  /** Resolves when there is room for more, so that who reads slowly holds back who writes. */
  readonly write: (event: object) => Promise<void>
  readonly signal: AbortSignal
}

export interface WatchDependencies {
  readonly upstream: Upstream
  readonly clock: Clock
  readonly random: Random
}

type Json = Record<string, unknown>

export interface WatchEvent {
  readonly type: string
  readonly object: Json
}

/** What a member answers that ends the whole watch: the client has to list again, or was refused. */
class Ended extends Error {
  readonly status: Status
  constructor(status: Status) {
    super(status.message)
    this.status = status
  }
}

/** An API server that starts refuses, for it has not read yet who may what: within so much time that is no answer. */
const startingMs = 60_000
const refusals = new Set([403, 404])
const upstreamSeconds = 3_000
const lineBytes = 8 * 2 ** 20
const dropped = ['resourceVersion', 'resourceVersionMatch', 'sendInitialEvents', 'limit', 'continue', 'timeoutSeconds']

/** Resolves when the signal aborts or an ERROR event has been written; cells that lose their datacenter try again meanwhile. */
export async function watchAll(deps: WatchDependencies, request: WatchRequest): Promise<void> {
  const { spread, signal } = request
  const seen = spread.memberOf.map((member) => request.versions[member] ?? 0n)
  const cut = new AbortController()
  const within = AbortSignal.any([signal, cut.signal])
  const position = createPosition(spread, seen)
  const followers = spread.cells.map((cell, index) =>
    follow(deps, { ...request, signal: within }, { cell, index, seen, position }),
  )
  try {
    // Nobody follows nothing: without a cell the watch is quiet until its time is over.
    if (followers.length === 0) await deps.clock.sleep(2 ** 30, within)
    await Promise.all(followers)
  } catch (error) {
    cut.abort(error)
    await Promise.allSettled(followers)
    if (signal.aborted) return
    if (!(error instanceof Ended)) throw error
    await request.write({ type: 'ERROR', object: error.status })
  }
}

interface Position {
  /** The cursor of an event whose object has `own` in its cluster. */
  at(own: bigint): string
  /** Whether it is another than the last bookmark said. */
  moved(): boolean
}

/** A member is as far as the slowest of its cells: who resumes there misses nothing. */
function createPosition({ members, memberOf, place }: Spread, seen: readonly bigint[]): Position {
  const cellsOf = members.map((_, member) => memberOf.flatMap((each, cell) => (each === member ? [cell] : [])))
  const lowest = () =>
    cellsOf.map((cells) => cells.reduce((low, cell) => minimum(low, seen[cell] ?? 0n), 2n ** 64n - 1n))
  let told = ''
  return {
    at: (own) => writeCursor(place, { versions: lowest(), own }),
    moved: () => {
      const now = writeCursor(place, { versions: lowest(), own: 0n })
      const other = now !== told
      told = now
      return other
    },
  }
}

const minimum = (a: bigint, b: bigint) => (a < b ? a : b)

interface Following {
  readonly cell: Cell
  readonly index: number
  readonly seen: bigint[]
  readonly position: Position
}

async function follow(deps: WatchDependencies, request: WatchRequest, following: Following): Promise<void> {
  const { clock, random } = deps
  let failures = 0
  let begun = false
  let refusedSince: number | undefined
  for (;;) {
    request.signal.throwIfAborted()
    const began = clock.monotonic()
    try {
      await followOnce(deps, request, following, () => {
        begun = true
        refusedSince = undefined
      })
      failures = 0
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason
      // Of one that did not answer the list either, the first word may be that of a server that starts.
      const isBack = begun || failures > 0 || following.seen[following.index] === 0n
      if (error instanceof Ended && isBack && refusals.has(error.status.code)) {
        refusedSince ??= began
        if (clock.monotonic() - refusedSince > startingMs) throw error
      } else if (error instanceof Unreachable) refusedSince = undefined
      else throw error
      failures = clock.monotonic() - began > 60_000 ? 1 : failures + 1
    }
    // One that ends at once without an error is not asked again in a circle either.
    if (failures > 0 || clock.monotonic() - began < 500)
      await clock.sleep(backoffMs(Math.max(1, failures), random), request.signal)
  }
}

async function followOnce(
  deps: WatchDependencies,
  request: WatchRequest,
  following: Following,
  begun: () => void,
): Promise<void> {
  const { cell, index, seen } = following
  const unseen = seen[index] === 0n
  const query = new URLSearchParams(request.query)
  for (const name of dropped) query.delete(name)
  query.set('watch', 'true')
  query.set('allowWatchBookmarks', 'true')
  query.set('timeoutSeconds', String(upstreamSeconds))
  query.set('resourceVersion', String(seen[index]))
  const sent = {
    method: 'GET',
    path: cell.path,
    query,
    headers: { accept: request.accept },
    as: cell.as,
    stream: true,
    signal: request.signal,
  }
  const answer = await deps.upstream.send(cell.member, sent)
  const code = answer.statusCode ?? 0
  if (code !== 200) {
    const text = (await bodyOf(answer, 2 ** 20)).toString('utf8')
    if (code >= 500 || code === 429) throw new Unreachable(`${cell.member.slug} answered ${code}`)
    throw new Ended(readStatus(code, text))
  }
  if (unseen) {
    answer.destroy()
    throw new Ended(statusOf(410, `datacenter ${cell.member.slug} answers again; list again to see what it has`))
  }
  begun()
  for await (const line of linesOf(answer, lineBytes)) await pass(request, following, line)
}

/** One event of one cell, on to the client with the position of the whole in it. */
async function pass(request: WatchRequest, { cell, index, seen, position }: Following, line: string): Promise<void> {
  const { type, object } = readEvent(line)
  if (type === 'ERROR') {
    const status = object as unknown as Status
    if (status.code >= 500) throw new Unreachable(status.message)
    throw new Ended(status)
  }
  const own = versionOf(object)
  requireOwn(cell, object['kind'] === 'Table' ? ((object['rows'] ?? []) as Json[]) : [object])
  seen[index] = own
  const isBookmark = type === 'BOOKMARK'
  if (isBookmark && !(request.bookmarks && position.moved())) return
  const told = request.shaped?.({ type, object }, cell.member.slug) ?? { type, object }
  await request.write({ ...told, object: withVersion(told.object, position.at(isBookmark ? 0n : own)) })
}

function readEvent(line: string): WatchEvent {
  try {
    const { type, object } = JSON.parse(line) as Json
    if (typeof type === 'string' && typeof object === 'object' && object !== null)
      return { type, object: object as Json }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Unreachable('the watch gave what is no event')
}

function versionOf(object: Json): bigint {
  const { resourceVersion } = (object['metadata'] ?? {}) as Json
  if (typeof resourceVersion === 'string' && /^[0-9]{1,20}$/.test(resourceVersion)) return BigInt(resourceVersion)
  throw new Unreachable('an event of the watch has no resourceVersion')
}

/** Of a Table, both the whole and its rows carry it. */
export function withVersion(object: Json, resourceVersion: string): Json {
  const metadata = { ...(object['metadata'] as Json), resourceVersion }
  if (object['kind'] !== 'Table') return { ...object, metadata }
  const rows = ((object['rows'] ?? []) as Json[]).map((row) => {
    const inner = row['object'] as Json | undefined
    return inner ? { ...row, object: { ...inner, metadata: { ...(inner['metadata'] as Json), resourceVersion } } } : row
  })
  return { ...object, metadata, rows }
}
