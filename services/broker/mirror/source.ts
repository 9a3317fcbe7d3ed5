/**
 * What stands in the namespace at the active site, object by object as a digest: followed by watches, or by lists where a
 * datacenter has so many hostings that watches would fill its tunnel. An object is told with its essence once, and is not kept.
 */
import { waitingReplicas } from '../../shared/held-back.ts'
import type { Kit } from '../../shared/kit.ts'
import { type ClusterClient, type KindRef, type KubernetesObject, TooLarge } from '../../shared/kubernetes/index.ts'
import { listAll, pause, reasonOf } from '../clusters/index.ts'
import { scaledBy } from './core/copy.ts'
import { type EssenceOptions, essenceOf } from './core/essence.ts'
import { isSame } from './core/kinds.ts'
import { keyOf, type MirroredObject } from './core/objects.ts'
import { digestOf } from './digest.ts'

/** An object of the tenant at the active site. */
export interface Seen extends KindRef {
  readonly name: string
  readonly uid: string
  readonly digest: string
  /** Of an autoscaler: what it scales. */
  readonly scales?: { readonly kind: string; readonly name: string } | undefined
  /** It sleeps until its data has been brought back. */
  readonly waits?: boolean
}

export interface Source {
  /** What is not told of this kind is not there: the list was whole, and nothing has gone wrong since. */
  isWhole(kind: KindRef): boolean
  /** Milliseconds of the monotonic clock until which all is known; undefined while some of it never was. */
  knownUntil(): number | undefined
  /** Why not all is known now; undefined when it is. */
  trouble(): string | undefined
  /** Resolves when every kind was listed; rejects when aborted before. */
  readonly synced: Promise<void>
}

export interface SourceOptions extends EssenceOptions {
  readonly kit: Pick<Kit, 'clock' | 'random' | 'log'>
  readonly client: ClusterClient
  readonly namespace: string
  readonly kinds: readonly KindRef[]
  /** What is there, by key; kept here. */
  readonly objects: Map<string, Seen>
  readonly follow: 'watch' | 'list'
  /** At most so often, where it is by lists. */
  readonly listMs: number
  readonly changed: (key: string, essence: MirroredObject) => void
  readonly gone: (key: string) => void
}

/** One kind. */
interface Followed extends KindRef {
  /** The last list was whole, and nothing was let go since. */
  whole: boolean
  trouble: string | undefined
  troubleAt: number
  heardAt: () => number | undefined
  readonly synced: Promise<void>
}

/** A watch says something every minute; after twice that, what it told has become old. */
const silentMs = 130_000

export function followSource(options: SourceOptions, signal: AbortSignal): Source {
  const { kinds, follow, listMs, kit } = options
  const notes = createNotes(options)
  const followed = kinds.map((kind) => (follow === 'watch' ? watchKind : listKind)(options, notes, kind, signal))
  const staleMs = follow === 'watch' ? silentMs : 4 * listMs
  const troubleOf = ({ kind, trouble, troubleAt, heardAt }: Followed): string | undefined => {
    const heard = heardAt() ?? 0
    if (trouble !== undefined && troubleAt >= heard) return trouble
    return kit.clock.monotonic() - heard > staleMs ? `${kind}: nothing was heard of it` : undefined
  }
  return {
    isWhole: (kind) => followed.some((one) => isSame(one, kind) && one.whole && troubleOf(one) === undefined),
    knownUntil: () => {
      const silent = followed.filter((one) => troubleOf(one) !== undefined).map(({ heardAt }) => heardAt())
      if (silent.includes(undefined)) return undefined
      return Math.min(kit.clock.monotonic(), ...silent.map((at) => at ?? 0))
    },
    trouble: () => followed.map(troubleOf).find((trouble) => trouble !== undefined),
    synced: Promise.all(followed.map(({ synced }) => synced)).then(() => undefined),
  }
}

type Notes = ReturnType<typeof createNotes>

function createNotes(options: SourceOptions) {
  const { objects, changed, gone } = options
  const drop = (key: string) => {
    if (objects.delete(key)) gone(key)
  }
  return {
    drop,
    /** Returns its key; undefined for what is no tenant's own. */
    put: (object: KubernetesObject): string | undefined => {
      const essence = essenceOf(object as unknown as MirroredObject, options)
      const key = keyOf(object as unknown as MirroredObject)
      if (!essence) {
        drop(key)
        return undefined
      }
      const seen = seenOf(object, essence)
      const before = objects.get(key)
      objects.set(key, seen)
      if (before?.digest !== seen.digest || before.uid !== seen.uid) changed(key, essence)
      return key
    },
    /** These are all of this kind. */
    keepOnly: (kind: KindRef, present: ReadonlySet<string>) => {
      for (const [key, seen] of [...objects]) if (isSame(seen, kind) && !present.has(key)) drop(key)
    },
  }
}

function watchKind({ client, namespace, kit }: SourceOptions, notes: Notes, kind: KindRef, signal: AbortSignal) {
  let letGo = false
  const informer = client.informer<string>(
    { ...kind, namespace, keep: (object) => notes.put(object) ?? '' },
    {
      gone: (key) => {
        // What an informer lets go because it is too much is not gone.
        if (key !== '' && !letGo) notes.drop(key)
      },
      synced: () => {
        notes.keepOnly(kind, new Set(informer.items().values()))
        letGo = false
        followed.whole = true
        followed.trouble = undefined
      },
      failed: (error) => {
        letGo ||= error instanceof TooLarge
        followed.whole &&= !letGo
        followed.trouble = `${kind.kind}: ${reasonOf(error)}`
        followed.troubleAt = kit.clock.monotonic()
      },
    },
    signal,
  )
  const { heardAt, synced } = informer
  const followed: Followed = { ...kind, whole: false, trouble: undefined, troubleAt: 0, heardAt, synced }
  return followed
}

function listKind({ kit, ...options }: SourceOptions, notes: Notes, kind: KindRef, signal: AbortSignal) {
  const { client, namespace, listMs } = options
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  const heardAt = () => undefined
  const followed: Followed = { ...kind, whole: false, trouble: undefined, troubleAt: 0, heardAt, synced: first.promise }
  const listOnce = async () => {
    const began = kit.clock.monotonic()
    const present = new Set<string>()
    await listAll(client, kind, namespace, (object) => {
      const key = notes.put(object)
      if (key !== undefined) present.add(key)
    })
    if (signal.aborted) return
    notes.keepOnly(kind, present)
    followed.whole = true
    followed.trouble = undefined
    followed.heardAt = () => began
    first.resolve()
  }
  const loop = async () => {
    while (!signal.aborted) {
      await listOnce().catch((error: unknown) => {
        followed.trouble = `${kind.kind}: ${reasonOf(error)}`
        followed.troubleAt = kit.clock.monotonic()
      })
      await pause(kit.clock, listMs * (1 + kit.random.next() / 4), signal)
    }
    first.reject(signal.reason)
  }
  loop().catch((error: unknown) => kit.log.error({ err: error }, 'the lists of a namespace ended'))
  return followed
}

function seenOf(object: KubernetesObject, essence: MirroredObject): Seen {
  const { apiVersion, kind, metadata } = object
  const { replicas } = (object['spec'] ?? {}) as { replicas?: unknown }
  const scales = kind === 'HorizontalPodAutoscaler' ? scaledBy(essence) : undefined
  return {
    apiVersion,
    kind,
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    digest: digestOf(essence),
    ...(scales && { scales }),
    ...(waitingReplicas(metadata.annotations, replicas) !== undefined && { waits: true }),
  }
}
