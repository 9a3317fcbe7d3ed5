/** The mirror of one hosting with what its two sites know and let the tenant have; begun anew when that has changed. */
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { createWake, type Wake } from '../clusters/index.ts'
import { type Knot, type Sites, work } from './batch.ts'
import { type Copy, listCopies } from './copies.ts'
import { type Book, createBook } from './core/book.ts'
import type { DataState } from './core/data.ts'
import type { Kind } from './core/kinds.ts'
import { keepData } from './data/keep.ts'
import type { PairDependencies } from './dependencies.ts'
import { type FoundKinds, findKinds } from './kinds.ts'
import { readOptionsOf } from './options.ts'
import { followSource, type Seen, type Source } from './source.ts'
import { type PairRow, selectGrant } from './store.ts'
import { lookAtNamespace } from './witness.ts'

export interface Session {
  readonly book: Book<Seen, Copy>
  readonly source: Source
  readonly wake: Wake
  readonly found: FoundKinds
  readonly isWatched: boolean
  /** Kinds of which the hosting has objects, and which the other site does not know. */
  unknownThere(): readonly Kind[]
  /** Reads all that stands at the other site. */
  look(): Promise<void>
  /** `over`: its sites are others now. `again`: it has to be begun anew. */
  work(): Promise<'nothing' | 'more' | 'over' | 'again'>
  /** Keeps what copies the declared data, and tells how old the last good copies are. */
  keepData(known: readonly DataState[]): Promise<DataState[]>
  end(): void
}

/** Rejects when a site does not answer, or when the namespace is not there. */
export async function beginSession(
  deps: PairDependencies,
  row: PairRow,
  sites: Sites,
  signal: AbortSignal,
): Promise<Session> {
  const { kit, timing } = deps
  const { clock } = kit
  const here = sites.active.tenant(row.partyId)
  const there = sites.other.tenant(row.partyId)
  const namespaceHere = await lookAtNamespace(here, row.name, row.hostingId, sites.active.slug)
  if (!namespaceHere.ok) throw new Error(namespaceHere.why)
  const found = await findKinds(sites.active, sites.other, here, there, row.name)
  const objects = new Map<string, Seen>()
  const book = createBook<Seen, Copy>(objects, namespaceHere.uid)
  const options = readOptionsOf(row, found.mirrored, objects)
  const wake = createWake(clock)
  const woken = (note: () => void) => {
    note()
    wake.wake()
  }
  const ended = new AbortController()
  const giveBack = sites.active.takeWatches(found.mirrored.length)
  const source = followSource(
    {
      kit,
      client: here,
      namespace: row.name,
      kinds: found.mirrored,
      objects,
      follow: giveBack ? 'watch' : 'list',
      listMs: timing.listMs,
      ...options,
      changed: (key, essence) => woken(() => book.changed(key, essence, clock.now())),
      gone: (key) => woken(() => book.gone(key, clock.now())),
    },
    AbortSignal.any([signal, ended.signal]),
  )
  source.synced.catch(() => undefined)
  const knot: Knot = { deps, row, sites, here, there, namespaceUid: namespaceHere.uid, book, source, options }
  let looked = false
  let unknownThere: readonly Kind[] = []
  return {
    book,
    source,
    wake,
    found,
    isWatched: giveBack !== undefined,
    unknownThere: () => unknownThere,
    look: async () => {
      // At first nobody knows since when; not later than what was written down.
      const since = looked ? clock.now() : (row.behindSinceMs ?? row.syncedAtMs ?? clock.now())
      book.replaceThere(await readThere(knot, found), since)
      looked = true
      unknownThere = await hadOf(here, row.name, found.unknownThere)
    },
    work: () => work(knot),
    keepData: (known) =>
      keepData({ ...sites, ...dataDoors(deps, row), row, here, there, objects, known, nowMs: clock.now() }),
    end: () => {
      ended.abort()
      giveBack?.()
    },
  }
}

const dataDoors = ({ kit, confirm }: PairDependencies, row: PairRow) => ({
  confirm: () => confirm(row),
  grant: () => selectGrant(kit.database, row.hostingId),
})

async function readThere({ row, sites, there, options }: Knot, { mirrored }: FoundKinds): Promise<Map<string, Copy>> {
  const witness = await lookAtNamespace(there, row.name, row.hostingId, sites.other.slug, row.epoch)
  if (!witness.ok) throw new Error(witness.why)
  return sites.other.limit(() => listCopies(there, row.name, mirrored, options))
}

/** Those kinds of which there is an object. */
async function hadOf(client: ClusterClient, namespace: string, kinds: readonly Kind[]): Promise<Kind[]> {
  const lists = await Promise.all(kinds.map((kind) => client.list(kind, { namespace, limit: 1 })))
  return kinds.filter((_kind, at) => (lists[at]?.items.length ?? 0) > 0)
}
