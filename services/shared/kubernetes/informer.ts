/** A local copy of all objects of a kind: listed once, then kept by a watch, and put right after every gap. */
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import { backoffMs } from './backoff.ts'
import { KubernetesError, Unreachable } from './errors.ts'
import type { KindRef, KubernetesObject, ListOptions, ObjectList } from './model.ts'
import type { Transport } from './transport.ts'

export interface InformerOptions<T> extends KindRef {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** What is kept of an object: everything when absent. Keep little: a process follows hundreds of clusters. */
  readonly keep?: (object: KubernetesObject) => T
}

/** Called in the order of the changes; a handler that throws is told to `failed`, and the copy is made anew. */
export interface InformerHandlers<T> {
  /** New, or another than `before`. */
  changed?(now: T, before: T | undefined): void
  /** Gone, also when that happened during a gap. */
  gone?(before: T): void
  /** The copy is whole: after the first list, and after each list that closed a gap. */
  synced?(): void
  /** The list or watch failed; it is tried again after a while. */
  failed?(error: Error): void
}

export interface Informer<T> {
  /** By `namespace/name`, or by name without a namespace. */
  items(): ReadonlyMap<string, T>
  /** Milliseconds of the monotonic clock when the cluster last said anything, bookmarks included; undefined before. */
  heardAt(): number | undefined
  /** Resolves with the first whole copy; rejects with the signal's reason when it aborts before. */
  readonly synced: Promise<void>
  /** Resolves when the informer has ended; rejects only with what `failed` throws. */
  readonly done: Promise<void>
}

export interface InformerSource {
  readonly clock: Clock
  readonly random: Random
  readonly list: (kind: KindRef, options: ListOptions) => Promise<ObjectList>
  readonly collection: (kind: KindRef, namespace?: string) => Promise<string>
  readonly lines: Transport['lines']
}

interface Entry<T> {
  readonly resourceVersion: string
  readonly value: T
}

const pageSize = 500
const watchSeconds = 300
/** A watch that ends sooner than this counts as a failure, so that a server that hangs up cannot make us spin. */
const soonMs = 1_000

export function startInformer<T>(
  source: InformerSource,
  options: InformerOptions<T>,
  handlers: InformerHandlers<T>,
  signal: AbortSignal,
): Informer<T> {
  const { clock, random } = source
  const { apiVersion, kind, namespace, labelSelector, fieldSelector } = options
  const query = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  const copy = createCopy(options.keep ?? ((object) => object as T), handlers)
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  let heardAt: number | undefined
  let resourceVersion = ''
  let failures = 0
  const listAll = async () => {
    const seen = new Set<string>()
    let version = ''
    for await (const page of pages(source.list, { apiVersion, kind }, { ...query, ...(namespace && { namespace }) })) {
      if (signal.aborted) throw signal.reason
      heardAt = clock.monotonic()
      for (const object of page.items) {
        seen.add(keyOf(object))
        copy.put(object)
      }
      version = page.resourceVersion
    }
    // Only now: a list that broke off is begun anew, not watched from.
    resourceVersion = version
    copy.dropAllBut(seen)
    handlers.synced?.()
    first.resolve()
  }
  const onLine = (line: string) => {
    if (signal.aborted) return
    const { type, object } = JSON.parse(line) as { type: string; object: KubernetesObject }
    if (type === 'ERROR') throw statusError(object)
    heardAt = clock.monotonic()
    failures = 0
    if (type === 'ADDED' || type === 'MODIFIED') copy.put({ ...object, apiVersion, kind })
    else if (type === 'DELETED') copy.drop(keyOf(object))
    resourceVersion = object.metadata.resourceVersion ?? resourceVersion
  }
  const watch = async () => {
    const path = await source.collection({ apiVersion, kind }, namespace)
    const timeoutSeconds = Math.round(watchSeconds * (1 + random.next() / 5))
    const began = clock.monotonic()
    const all = { ...query, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds }
    await source.lines({ method: 'GET', path, query: all }, onLine, signal)
    if (clock.monotonic() - began < soonMs) throw new Unreachable('the API server ended the watch at once')
  }
  const run = async () => {
    while (!signal.aborted) {
      try {
        if (resourceVersion === '') await listAll()
        await watch()
      } catch (error) {
        if (signal.aborted) break
        failures++
        // After a cut the watch goes on where it was; any word against that from the server, and we list anew.
        const expired = error instanceof KubernetesError && error.status === 410
        if (!(error instanceof Unreachable)) resourceVersion = ''
        if (!expired) handlers.failed?.(error as Error)
        if (!expired || failures > 1) await clock.sleep(backoffMs(failures, random), signal).catch(() => undefined)
      }
    }
    first.reject(signal.reason)
  }
  return { items: copy.items, heardAt: () => heardAt, synced: first.promise, done: run() }
}

/** The objects as they were last told; says what is news and nothing twice. */
function createCopy<T>(keep: (object: KubernetesObject) => T, handlers: InformerHandlers<T>) {
  const entries = new Map<string, Entry<T>>()
  const drop = (key: string) => {
    const before = entries.get(key)
    if (entries.delete(key) && before) handlers.gone?.(before.value)
  }
  return {
    drop,
    put: (object: KubernetesObject) => {
      const key = keyOf(object)
      const before = entries.get(key)
      const entry = { resourceVersion: object.metadata.resourceVersion ?? '', value: keep(object) }
      if (before && before.resourceVersion === entry.resourceVersion && entry.resourceVersion !== '') return
      entries.set(key, entry)
      handlers.changed?.(entry.value, before?.value)
    },
    dropAllBut: (seen: ReadonlySet<string>) => {
      for (const key of [...entries.keys()]) if (!seen.has(key)) drop(key)
    },
    items: () => new Map([...entries].map(([key, { value }]) => [key, value] as const)),
  }
}

async function* pages(list: InformerSource['list'], kind: KindRef, options: ListOptions): AsyncGenerator<ObjectList> {
  let next: string | undefined
  do {
    const page = await list(kind, { ...options, limit: pageSize, ...(next && { continue: next }) })
    yield page
    next = page.continue
  } while (next !== undefined)
}

function keyOf({ metadata: { namespace, name = '' } }: KubernetesObject): string {
  return namespace ? `${namespace}/${name}` : name
}

function statusError(status: unknown): KubernetesError {
  const {
    code = 500,
    reason = '',
    message = 'the watch failed',
  } = status as { code?: number; reason?: string; message?: string }
  return new KubernetesError(code, reason, message)
}
