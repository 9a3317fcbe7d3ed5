/** A local copy of all objects of a kind: listed once, then kept by a watch, and put right after every gap. */
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import { backoffMs } from './backoff.ts'
import { KubernetesError, TooLarge, Unreachable } from './errors.ts'
import type { Limits } from './limits.ts'
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
  /** The list or watch failed; it is tried again after a while. After `TooLarge` nothing is kept, and the while is long. */
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
  readonly limits: Pick<Limits, 'listObjects' | 'listBytes' | 'listMs' | 'keptChars'>
  readonly list: (kind: KindRef, options: ListOptions) => Promise<ObjectList>
  readonly collection: (kind: KindRef, namespace?: string) => Promise<string>
  readonly lines: Transport['lines']
}

interface Entry<T> {
  readonly resourceVersion: string
  readonly value: T
  readonly chars: number
}

const pageSize = 500
const watchSeconds = 300
/** A watch that ends sooner than this counts as a failure, so that a server that hangs up cannot make us spin. */
const soonMs = 1_000
/** What is too large does not shrink in a minute, and to find out costs as much each time. */
const tooLargeMs = 600_000

export function startInformer<T>(
  source: InformerSource,
  options: InformerOptions<T>,
  handlers: InformerHandlers<T>,
  signal: AbortSignal,
): Informer<T> {
  const { clock, random, limits } = source
  const { apiVersion, kind, namespace } = options
  const query = selectorsOf(options)
  const copy = createCopy(kind, options.keep ?? ((object) => object as T), handlers, limits)
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  let heardAt: number | undefined
  let resourceVersion = ''
  let failures = 0
  const listAll = async () => {
    const seen = new Set<string>()
    let version = ''
    for await (const page of pages(source, { apiVersion, kind }, { ...query, ...(namespace && { namespace }) })) {
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
    const began = clock.monotonic()
    const all = { ...query, watch: true, allowWatchBookmarks: true, resourceVersion, ...watchTime(random) }
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
        if (error instanceof TooLarge) copy.dropAllBut(new Set())
        if (!expired || failures > 1) await clock.sleep(waitMs(error, failures, random), signal).catch(() => undefined)
      }
    }
    first.reject(signal.reason)
  }
  return { items: copy.items, heardAt: () => heardAt, synced: first.promise, done: run() }
}

const watchTime = (random: Random) => ({ timeoutSeconds: Math.round(watchSeconds * (1 + random.next() / 5)) })
const waitMs = (error: unknown, failures: number, random: Random) =>
  error instanceof TooLarge ? tooLargeMs : backoffMs(failures, random)

function selectorsOf({ labelSelector, fieldSelector }: InformerOptions<unknown>) {
  return { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
}

/** The objects as they were last told; says what is news and nothing twice. */
function createCopy<T>(
  kind: string,
  keep: (object: KubernetesObject) => T,
  handlers: InformerHandlers<T>,
  { listObjects, keptChars }: InformerSource['limits'],
) {
  const entries = new Map<string, Entry<T>>()
  let chars = 0
  const drop = (key: string) => {
    const before = entries.get(key)
    chars -= before?.chars ?? 0
    if (entries.delete(key) && before) handlers.gone?.(before.value)
  }
  return {
    drop,
    put: (object: KubernetesObject) => {
      const key = keyOf(object)
      const before = entries.get(key)
      const resourceVersion = object.metadata.resourceVersion ?? ''
      if (before && before.resourceVersion === resourceVersion && resourceVersion !== '') return
      const value = keep(object)
      const entry = { resourceVersion, value, chars: JSON.stringify(value).length }
      entries.set(key, entry)
      chars += entry.chars - (before?.chars ?? 0)
      if (entries.size > listObjects) throw tooLarge(kind, `more than ${listObjects} objects`)
      if (chars > keptChars) throw tooLarge(kind, `more than ${keptChars} characters of what we keep of them`)
      handlers.changed?.(entry.value, before?.value)
    },
    dropAllBut: (seen: ReadonlySet<string>) => {
      for (const key of [...entries.keys()]) if (!seen.has(key)) drop(key)
    },
    items: () => new Map([...entries].map(([key, { value }]) => [key, value] as const)),
  }
}

/** Page after page, for as long as they are within the limits: a server may answer `continue` for ever. */
async function* pages(
  { clock, limits, list }: InformerSource,
  kind: KindRef,
  options: ListOptions,
): AsyncGenerator<ObjectList> {
  const began = clock.monotonic()
  let [objects, bytes] = [0, 0]
  let next: string | undefined
  do {
    const page = await list(kind, { ...options, limit: pageSize, ...(next && { continue: next }) })
    objects += page.items.length
    bytes += page.bytes
    if (objects > limits.listObjects) throw tooLarge(kind.kind, `more than ${limits.listObjects} objects`)
    if (bytes > limits.listBytes) throw tooLarge(kind.kind, `more than ${limits.listBytes} bytes`)
    if (clock.monotonic() - began > limits.listMs)
      throw tooLarge(kind.kind, `taken more than ${limits.listMs / 1000} s`)
    yield page
    next = page.continue
  } while (next !== undefined)
}

function tooLarge(kind: string, what: string): TooLarge {
  return new TooLarge(`too large: the list of all objects of kind ${kind} has ${what}`)
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
