/** What is due at the other site, written there in one go after one look at the roles in the store. */
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { reasonOf } from '../clusters/index.ts'
import { type Copy, type ReadOptions, readCopy } from './copies.ts'
import type { Book, Task } from './core/book.ts'
import { essenceOf } from './core/essence.ts'
import type { MirroredObject } from './core/objects.ts'
import type { Datacenter } from './datacenter.ts'
import type { PairDependencies } from './dependencies.ts'
import { digestOf } from './digest.ts'
import type { Seen, Source } from './source.ts'
import type { PairRow } from './store.ts'
import { lookAtNamespace } from './witness.ts'
import { removeCopy, type Written, writeCopy } from './write.ts'

export interface Sites {
  readonly active: Datacenter
  readonly other: Datacenter
}

const batchSize = 64

export interface Knot {
  readonly deps: PairDependencies
  readonly row: PairRow
  readonly sites: Sites
  readonly here: ClusterClient
  readonly there: ClusterClient
  readonly namespaceUid: string
  readonly book: Book<Seen, Copy>
  readonly source: Source
  readonly options: ReadOptions
}

export async function work(knot: Knot): Promise<'nothing' | 'more' | 'over' | 'again'> {
  const { deps, row, sites, book, source, here } = knot
  if (row.role !== 'standby') return (await deps.confirm(row)) ? 'nothing' : 'over'
  const tasks = book.next(batchSize).filter((task) => task.due === 'write' || isBelievedGone(task, source))
  if (tasks.length === 0) return 'nothing'
  if (tasks.some(({ due }) => due === 'remove')) {
    const witness = await lookAtNamespace(here, row.name, row.hostingId, sites.active.slug)
    if (!witness.ok) throw new Error(witness.why)
    if (witness.uid !== knot.namespaceUid) return 'again'
  }
  // After what is known of the other site was read, and before anything is written with it: see write.ts.
  if (!(await deps.confirm(row))) return 'over'
  const outcomes = await Promise.allSettled(tasks.map((task) => sites.other.limit(() => one(knot, task))))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return 'more'
}

function isBelievedGone({ there }: Task<Seen, Copy>, source: Source): boolean {
  return there !== undefined && source.isWhole(there)
}

async function one(knot: Knot, task: Task<Seen, Copy>): Promise<void> {
  const { deps, row, there, book, options } = knot
  const { key, due, there: copy } = task
  if (due === 'remove' && copy) {
    const removed = await removeCopy(there, copy, row.name)
    return settle(knot, task, removed, () => book.removed(key))
  }
  const fresh = task.essence && task.here ? { essence: task.essence, uid: task.here.uid } : await readAgain(knot, task)
  // It went in between; the watch tells so.
  if (!fresh) return
  const source = { namespaceUid: knot.namespaceUid, uid: fresh.uid }
  const written = await writeCopy(there, fresh.essence, source, copy, options)
  await settle(knot, task, written, (made) => {
    if (made) book.wrote(key, digestOf(fresh.essence), made)
  })
  deps.metrics.wrote(written.outcome)
}

async function readAgain({ here, row, options }: Knot, { here: seen }: Task<Seen, Copy>) {
  if (!seen) return undefined
  const { apiVersion, kind, name } = seen
  const object = await here.read({ apiVersion, kind, name, namespace: row.name })
  const essence = object && essenceOf(object as unknown as MirroredObject, options)
  return essence && { essence, uid: object.metadata.uid ?? '' }
}

async function settle(
  { there, row, book, options, deps }: Knot,
  { key, here, there: copy }: Task<Seen, Copy>,
  written: Written,
  done: (copy: Copy | undefined) => void,
): Promise<void> {
  if (written.outcome === 'written') return done(written.copy)
  if (written.outcome === 'refused') {
    book.refuse(key, reasonOf(written.error))
    return
  }
  const named = here ?? copy
  if (!named) return
  const { apiVersion, kind, name } = named
  const object = await there.read({ apiVersion, kind, name, namespace: row.name })
  book.noteThere(key, object && readCopy(object, options), deps.kit.clock.now())
}
