/** One namespace in memory, as the mirror asks for it: versions that conflict, lists, watches, faults on order. */
import type { Datacenter } from '../../../services/broker/mirror/datacenter.ts'
import {
  type ClusterClient,
  type Informer,
  type InformerHandlers,
  type InformerOptions,
  KubernetesError,
  type KubernetesObject,
  Unreachable,
} from '../../../services/shared/kubernetes/index.ts'

const served: Readonly<Record<string, readonly string[]>> = {
  v1: ['ConfigMap/configmaps', 'Secret/secrets', 'PersistentVolumeClaim/persistentvolumeclaims'],
  'apps/v1': ['Deployment/deployments'],
  'batch/v1': ['CronJob/cronjobs'],
}

type Body = KubernetesObject & { metadata: Record<string, any>; spec?: any }

export interface FakeSite {
  readonly client: ClusterClient
  readonly datacenter: Datacenter
  readonly objects: Map<string, Body>
  /** As somebody at that site writes it. */
  write(object: object): void
  remove(kind: string, name: string): void
  get(kind: string, name: string): Body | undefined
  namespace: { uid: string; hosting: string; terminating: boolean; epoch?: number } | undefined
  /** What a tenant may have there, by plural; `*` is all. */
  may: string[]
  /** Called before each call; what it throws is what the caller gets. */
  before: (call: string) => void
  /** Objects written and removed by the mirror. */
  readonly written: string[]
}

export function fakeSite(slug: string, hosting: string, watches = 100): FakeSite {
  const objects = new Map<string, Body>()
  const watching = new Set<(key: string, object: Body | undefined) => void>()
  let version = 0
  let born = 0
  const keyOf = (kind: string, name: string) => `${kind}/${name}`
  const put = (object: any): Body => {
    const key = keyOf(object.kind, object.metadata.name)
    const before = objects.get(key)
    const uid = before?.metadata.uid ?? `${slug}-${++born}`
    const made = {
      ...object,
      metadata: { ...object.metadata, namespace: 'open-zaak', uid, resourceVersion: `${++version}` },
    }
    objects.set(key, made)
    for (const tell of watching) tell(key, made)
    return made
  }
  const drop = (key: string) => {
    objects.delete(key)
    for (const tell of watching) tell(key, undefined)
  }
  const forbidden = (kind: string) => {
    const plural = `${kind.toLowerCase()}s`
    if (!site.may.includes('*') && !site.may.includes(plural)) throw new KubernetesError(403, 'Forbidden', plural)
    return {}
  }
  const conflict = () => new KubernetesError(409, 'Conflict', 'the object has been modified')
  const call = <T>(name: string, work: () => T): Promise<T> =>
    Promise.resolve().then(() => {
      site.before(name)
      return work()
    })

  const client = {
    list: ({ apiVersion, kind }: KubernetesObject) =>
      call(`list ${kind}`, () => ({
        ...forbidden(kind),
        items: [...objects.values()].filter((one) => one.kind === kind && one.apiVersion === apiVersion),
        resourceVersion: `${version}`,
        bytes: 1,
      })),
    read: ({ kind, name }: { kind: string; name: string }) =>
      call(`read ${kind}/${name}`, () => {
        if (kind !== 'Namespace') return objects.get(keyOf(kind, name))
        if (!site.namespace) return undefined
        const { uid, hosting, terminating, epoch } = site.namespace
        const deletionTimestamp = terminating ? { deletionTimestamp: '2027-01-01T00:00:00Z' } : {}
        const labels = {
          'gemeentecloud.nl/hosting': hosting,
          ...(epoch !== undefined && { 'gemeentecloud.nl/epoch': `${epoch}` }),
        }
        return { metadata: { name, uid, labels, ...deletionTimestamp } }
      }),
    create: () =>
      call('create', () => ({ status: { resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: site.may }] } })),
    apply: (object: any, { force }: { force: boolean }) =>
      call(`apply ${object.kind}/${object.metadata.name}`, () => {
        const { uid, resourceVersion, ...metadata } = object.metadata
        const before = objects.get(keyOf(object.kind, metadata.name))
        if (resourceVersion !== undefined && before?.metadata['resourceVersion'] !== resourceVersion) throw conflict()
        if (uid !== undefined && before?.metadata['uid'] !== uid) throw conflict()
        if (before && !force) throw conflict()
        site.written.push(keyOf(object.kind, metadata.name))
        return put({ ...object, metadata })
      }),
    remove: ({ kind, name }: { kind: string; name: string }, { preconditions = {} }: any = {}) =>
      call(`remove ${kind}/${name}`, () => {
        const before = objects.get(keyOf(kind, name))
        if (!before) return false
        const isSame = Object.entries(preconditions).every(([field, value]) => before.metadata[field] === value)
        if (!isSame) throw conflict()
        site.written.push(keyOf(kind, name))
        drop(keyOf(kind, name))
        return true
      }),
    informer: <T>(options: InformerOptions<T>, handlers: InformerHandlers<T>, signal: AbortSignal): Informer<T> => {
      const kept = new Map<string, T>()
      const note = (key: string, object: Body) => {
        const before = kept.get(key)
        const now = options.keep ? options.keep(object) : (object as T)
        kept.set(key, now)
        handlers.changed?.(now, before)
      }
      const tell = (key: string, object: Body | undefined) => {
        if (object?.kind === options.kind) note(key, object)
        else if (!object && kept.has(key)) {
          const before = kept.get(key) as T
          kept.delete(key)
          handlers.gone?.(before)
        }
      }
      const synced = call(`watch ${options.kind}`, () => {
        for (const [key, object] of objects) if (object.kind === options.kind) note(key, object)
        watching.add(tell)
        signal.addEventListener('abort', () => watching.delete(tell))
        handlers.synced?.()
      })
      return { items: () => kept, heardAt: () => performance.now() * 1e6, synced, done: Promise.resolve() }
    },
    as: () => client,
    close: async () => undefined,
  } as unknown as ClusterClient

  let free = watches
  const site: FakeSite = {
    client,
    objects,
    written: [],
    write: put,
    remove: (kind, name) => drop(keyOf(kind, name)),
    get: (kind, name) => objects.get(keyOf(kind, name)),
    namespace: { uid: `ns-${slug}`, hosting, terminating: false },
    before: () => undefined,
    may: ['*'],
    datacenter: {
      id: `dc_${slug}`,
      slug,
      desk: client,
      tenant: () => client,
      resources: async (apiVersion) =>
        (served[apiVersion] ?? []).map((text) => {
          const [kind = '', name = ''] = text.split('/')
          return { kind, name }
        }),
      preferredVersion: async () => undefined,
      limit: (work) => work(),
      takeWatches: (count) => {
        if (count > free) return undefined
        free -= count
        return () => {
          free += count
        }
      },
      close: async () => undefined,
    },
  }
  return site
}

export const gone = () => {
  throw new Unreachable('cut off')
}
