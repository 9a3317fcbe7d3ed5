/** A connection to one cluster and what can be asked of it. */
import type { RequestOptions } from 'node:https'
import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import { createAddressGuard, type EndpointPolicy } from './addresses.ts'
import type { Resolve } from './endpoint.ts'
import { KubernetesError } from './errors.ts'
import { type Informer, type InformerHandlers, type InformerOptions, startInformer } from './informer.ts'
import type { Connection } from './kubeconfig.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { KindRef, KubernetesObject, ListOptions, ObjectList, ObjectMeta, ObjectRef } from './model.ts'
import { createPaths, type Paths } from './paths.ts'
import { createTransport, type Transport } from './transport.ts'
import { type Credentials, type OpenPipe, pipeWay, tlsWay } from './ways.ts'

/** What `apply` and `create` take: an object whose server-side fields are absent. */
export type Manifest = KindRef & { readonly metadata?: ObjectMeta } & Readonly<Record<string, unknown>>

export interface ApplyOptions {
  /** Who owns the fields that are sent. */
  readonly fieldManager: string
  /** Takes fields that others own; without it they are a conflict (409). */
  readonly force?: boolean
  /** The answer is what would be, nothing is changed. */
  readonly dryRun?: boolean
}

export interface RemoveOptions {
  /** Removes this one and no later one of the same name; another is a conflict (409). */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
}

export interface Version {
  readonly major: string
  readonly minor: string
  /** `v1.36.1`. */
  readonly gitVersion: string
}

/**
 * Every call rejects with `KubernetesError` when the API server refused it and with `Unreachable` when it gave no usable
 * answer within the limits.
 */
export interface ClusterClient {
  readonly server: string
  /** A GET of a path of the API, such as `/apis`; the answer must be JSON. */
  get(path: string): Promise<unknown>
  /** One object; undefined when the API server says that there is none. */
  read(ref: ObjectRef): Promise<KubernetesObject | undefined>
  list(kind: KindRef, options?: ListOptions): Promise<ObjectList>
  /** Something new; one that exists is a refusal with status 409. */
  create(object: Manifest): Promise<KubernetesObject>
  /** Server-side apply. */
  apply(object: Manifest, options: ApplyOptions): Promise<KubernetesObject>
  /** A JSON merge patch (RFC 7386). */
  patch(ref: ObjectRef, change: object, options: Pick<ApplyOptions, 'fieldManager'>): Promise<KubernetesObject>
  /** True when it is on its way out, false when there was none. */
  remove(ref: ObjectRef, options?: RemoveOptions): Promise<boolean>
  /** Keeps a copy of all objects of a kind, brought up to date by a watch, until the signal aborts or the client closes. */
  informer<T = KubernetesObject>(
    options: InformerOptions<T>,
    handlers: InformerHandlers<T>,
    signal: AbortSignal,
  ): Informer<T>
  version(): Promise<Version>
  /** The same cluster by the same connections, in the name of somebody else, as far as we may; closing it closes nothing. */
  as(user: string, group: string): ClusterClient
  /** Ends all calls, watches and connections. */
  close(): Promise<void>
}

export interface ConnectOptions extends EndpointPolicy {
  readonly clock: Clock
  readonly random: Random
  /** Those that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits>
  /** What is sent as Authorization, asked at each call; the token of the connection when absent. */
  readonly authorization?: () => string | undefined
  /** The system's resolver when absent. */
  readonly resolve?: Resolve
}

/** Makes the client; nothing is sent until something is asked. Rejects with `RangeError` on a CIDR that is none. */
export async function connectCluster(connection: Connection, options: ConnectOptions): Promise<ClusterClient> {
  const limits = { ...defaultLimits, ...options.limits }
  const { server } = connection
  const credentials = await credentialsOf(connection)
  const guard = createAddressGuard(options)
  const { authorization, resolve } = options
  const way = tlsWay({ server, credentials, guard, authorization, ...(resolve && { resolve }) }, limits)
  return clientOver(createTransport({ way, clock: options.clock, limits }), server, options, limits)
}

/** The same through pipes, to an agent that speaks for the cluster and adds its own credential there. */
export function connectThrough(open: OpenPipe, name: string, options: Omit<ConnectOptions, keyof EndpointPolicy>) {
  const limits = { ...defaultLimits, ...options.limits }
  const transport = createTransport({ way: pipeWay(open, limits), clock: options.clock, limits })
  return clientOver(transport, name, options, limits)
}

function clientOver(
  transport: Transport,
  server: string,
  { clock, random }: Pick<ConnectOptions, 'clock' | 'random'>,
  limits: Limits,
  known?: Paths,
): ClusterClient {
  const get = (path: string) => transport.send({ method: 'GET', path })
  const paths = known ?? createPaths(get)
  const closed = new AbortController()

  const list = async (kind: KindRef, { namespace, ...query }: ListOptions = {}) => {
    const path = await paths.collection(kind, namespace)
    let bytes = 0
    const received = (count: number) => {
      bytes = count
    }
    return listOf(await transport.send({ method: 'GET', path, query, received }), kind, bytes)
  }
  return {
    server,
    get,
    list,
    async read(ref) {
      const path = await paths.object(ref)
      return (await unlessNone(get(path))) as KubernetesObject | undefined
    },
    async create(object) {
      const path = await paths.collection(object, object.metadata?.namespace)
      return (await transport.send({ method: 'POST', path, body: object })) as KubernetesObject
    },
    async apply(object, { fieldManager, force = false, dryRun }) {
      const path = await paths.object(refOf(object))
      const query = { fieldManager, force, dryRun: dryRun ? 'All' : undefined }
      // JSON is YAML.
      const contentType = 'application/apply-patch+yaml'
      return (await transport.send({ method: 'PATCH', path, query, body: object, contentType })) as KubernetesObject
    },
    async patch(ref, change, query) {
      const path = await paths.object(ref)
      const contentType = 'application/merge-patch+json'
      const answer = await transport.send({ method: 'PATCH', path, query: { ...query }, body: change, contentType })
      return answer as KubernetesObject
    },
    async remove(ref, { propagationPolicy = 'Background', ...rest } = {}) {
      const path = await paths.object(ref)
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, ...rest }
      return (await unlessNone(transport.send({ method: 'DELETE', path, body }))) !== undefined
    },
    informer: (informerOptions, handlers, signal) =>
      startInformer(
        { clock, random, limits, list, collection: paths.collection, lines: transport.lines },
        informerOptions,
        handlers,
        AbortSignal.any([signal, closed.signal]),
      ),
    async version() {
      return (await get('/version')) as Version
    },
    as: (user, group) => clientOver(inTheNameOf(transport, user, group), server, { clock, random }, limits, paths),
    async close() {
      closed.abort()
      transport.close()
    },
  }
}

function inTheNameOf({ send, lines }: Transport, user: string, group: string): Transport {
  const headers = { 'impersonate-user': user, 'impersonate-group': group }
  return {
    send: (call, signal) => send({ ...call, headers }, signal),
    lines: (call, onLine, signal) => lines({ ...call, headers }, onLine, signal),
    close: () => undefined,
  }
}

/**
 * client-node turns the connection into what is shown to the API server, so that authentication stays its affair; loading it
 * takes a second or two and 80 MB, so it is loaded with the first connection. Its informers and object API are not used: the
 * informer stops at the first error, keeps whole objects and asks for no bookmarks; the object API drops fields that its
 * models do not know, which would make server-side apply give them up.
 */
async function credentialsOf(connection: Connection): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const { server, caData, ...user } = connection
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'cluster', server, caData, skipTLSVerify: false }],
    users: [{ name: 'user', ...user }],
    contexts: [{ name: 'current', cluster: 'cluster', user: 'user' }],
    currentContext: 'current',
  })
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const { ca, cert, key } = options as { ca?: Buffer; cert?: Buffer; key?: Buffer }
  const authorization = (options.headers as Record<string, string> | undefined)?.['Authorization']
  if (!ca) throw new RangeError('a connection needs the certificate of the authority')
  return { ca, ...(cert && key && { cert, key }), ...(authorization && { authorization }) }
}

async function unlessNone(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    // Anything may answer 404; only an API server says that this object was not found, and absence ends claims.
    if (error instanceof KubernetesError && error.status === 404 && error.reason === 'NotFound') return undefined
    throw error
  }
}

function refOf({ apiVersion, kind, metadata }: Manifest): ObjectRef {
  if (!metadata?.name) throw new RangeError(`${kind} needs a name`)
  return { apiVersion, kind, name: metadata.name, ...(metadata.namespace && { namespace: metadata.namespace }) }
}

/** The items of a list do not say what they are; here they do. */
function listOf(answer: unknown, { apiVersion, kind }: KindRef, bytes: number): ObjectList {
  const { items, metadata = {} } = answer as {
    items?: Omit<KubernetesObject, 'apiVersion' | 'kind'>[] | null
    metadata?: { resourceVersion?: string; continue?: string }
  }
  return {
    items: (items ?? []).map((item) => ({ ...item, apiVersion, kind }) as KubernetesObject),
    resourceVersion: metadata.resourceVersion ?? '',
    bytes,
    ...(metadata.continue && { continue: metadata.continue }),
  }
}
