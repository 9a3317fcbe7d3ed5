/** All sandbox clusters behind one HTTPS listener on loopback; the path says which one is meant (ADR-0005). */
import { createHmac } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../shared/clock.ts'
import { uuid } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import { createServerCertificate, type ServerCertificate } from './certificate.ts'
import { createCluster, type SandboxCluster } from './cluster.ts'
import type { ClusterSeed } from './seed.ts'
import { refuse, serve } from './serve.ts'
import { badRequest, noSuchPath } from './status.ts'

/** What makes kubeconfigs stay valid over restarts. */
export interface SandboxIdentity extends ServerCertificate {
  /** Of which the tokens of the clusters are made. */
  readonly secret: string
}

export interface SandboxOptions {
  readonly clock: Clock
  readonly random: Random
  readonly host: '127.0.0.1' | '::1'
  /** 0 takes a free one. Rejects when it is taken. */
  readonly port: number
  /** Made anew when absent. */
  readonly identity?: SandboxIdentity
}

export interface Sandbox {
  readonly url: string
  readonly port: number
  readonly identity: SandboxIdentity
  addCluster(name: string, seed: ClusterSeed): SandboxCluster
  cluster(name: string): SandboxCluster | undefined
  stop(): Promise<void>
}

const tickMs = 1_000

export function createIdentity(clock: Clock, random: Random): SandboxIdentity {
  const secret = Buffer.from(random.bytes(32)).toString('base64url')
  return { ...createServerCertificate(clock, random), secret }
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock, random, host } = options
  const identity = options.identity ?? createIdentity(clock, random)
  const clusters = new Map<string, SandboxCluster>()

  const server = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A bug of the sandbox is not the end of the federation that it plays.
      response.destroy(error as Error)
    })
  })
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const [target = '', search = ''] = (request.url ?? '').split(/\?(.*)/s)
    const [, name, path] = /^\/clusters\/([a-z0-9.-]+)(\/.*)?$/.exec(target) ?? []
    if (name === undefined) {
      return refuse(
        response,
        noSuchPath('sandbox clusters are at /clusters/NAME, which belongs to the server of a kubeconfig'),
      )
    }
    const cluster = clusters.get(name)
    if (!cluster) return refuse(response, noSuchPath(`there is no sandbox cluster ${name}`))
    if (/%(?![0-9a-fA-F]{2})/.test(search)) return refuse(response, badRequest('the query has a broken percent escape'))
    const query = new URLSearchParams(search)
    // `kubectl --raw` puts the server's path before what it is given, or does not: both may be written whole.
    const own = `/clusters/${name}`
    const below = path?.startsWith(`${own}/`) ? path.slice(own.length) : (path ?? '/')
    await serve({ cluster, clock, random, request, response, path: below, query })
  }
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, () => resolve())
  })
  const { port } = server.address() as AddressInfo
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const stopTicking = clock.every(tickMs, () => {
    for (const cluster of clusters.values()) cluster.tick()
  })
  return {
    url,
    port,
    identity,
    cluster: (name) => clusters.get(name),
    addCluster: (name, seed) => {
      if (clusters.has(name)) throw new Error(`there is a sandbox cluster ${name} already`)
      const secretOf = (what: string) => createHmac('sha256', identity.secret).update(`${what} ${name}`).digest()
      const token = secretOf('token').toString('base64url')
      const uid = uuid({ ...random, bytes: () => secretOf('uid').subarray(0, 16) })
      const address = `${url}/clusters/${name}`
      const cluster = createCluster(name, seed, { clock, random, server: address, ca: identity.ca, token, uid })
      clusters.set(name, cluster)
      return cluster
    },
    stop: async () => {
      stopTicking()
      for (const cluster of clusters.values()) cluster.stop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
