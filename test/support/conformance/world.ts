/** What the parts of the suite share: the clients of one target, namespaces of their own, and waiting. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import type { Test } from 'tap'
import { systemClock } from '../../../services/shared/clock.ts'
import { type ClusterClient, connectCluster, sanitizeKubeconfig } from '../../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { until } from '../../clusters/wait.ts'
import { temporaryFolder } from '../folder.ts'
import { type Api, createApi } from './api.ts'
import { createKubectl, type Kubectl } from './kubectl.ts'

/** A cluster under test: two nodes or more that can each take pods of one core, in a zone, and a storage class `snel`. */
export interface Target {
  /** YAML of an administrator: server, CA and token inline. */
  readonly kubeconfig: string
  /** Path of kubectl; when absent what needs it is skipped, and `withoutKubectl` says why. */
  readonly kubectl: string | undefined
  readonly withoutKubectl?: string
}

export interface World {
  readonly api: Api
  /** Ours. */
  readonly client: ClusterClient
  /** For @kubernetes/client-node. */
  readonly config: KubeConfig
  /** Rejects where the target has none. */
  readonly kubectl: Kubectl
  /** A new namespace that takes pods, with the path of its core objects; removed with the test. */
  space(t: Test, labels?: Readonly<Record<string, string>>): Promise<Space>
}

export interface Space {
  readonly name: string
  /** `/api/v1/namespaces/NAME` */
  readonly core: string
  /** `/apis/apps/v1/namespaces/NAME` */
  readonly apps: string
}

export type Part = (t: Test, world: World) => Promise<void>

/** Opens the clients, closed with the test. */
export async function openWorld(t: Test, target: Target): Promise<World> {
  const policy = { allowedAddresses: ['127.0.0.0/8'] }
  const sanitized = sanitizeKubeconfig(target.kubeconfig, policy)
  if (!sanitized.ok) throw new Error(`our own kubeconfig is refused: ${JSON.stringify(sanitized.errors)}`)
  const client = await connectCluster(sanitized.connection, { ...policy, clock: systemClock, random: systemRandom })
  const api = createApi(sanitized.connection)
  const config = new KubeConfig()
  config.loadFromString(target.kubeconfig)
  const home = temporaryFolder('conformance')
  writeFileSync(join(home.path, 'config'), target.kubeconfig, { mode: 0o600 })
  t.teardown(async () => {
    api.close()
    await client.close()
    home.remove()
  })
  const kubectl = createKubectl(target.kubectl ?? 'kubectl-is-not-given', home.path)
  return { api, client, config, kubectl, space: (t, labels) => createSpace(t, api, labels) }
}

async function createSpace(t: Test, api: Api, labels: Readonly<Record<string, string>> = {}): Promise<Space> {
  const name = `conformance-${randomBytes(4).toString('hex')}`
  const path = `/api/v1/namespaces/${name}`
  await api.need('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  t.teardown(async () => {
    await api.ask('DELETE', path)
  })
  await eventually(`the service account of ${name}`, async () => {
    return (await api.get(`${path}/serviceaccounts/default`)).status === 200
  })
  return { name, core: path, apps: `/apis/apps/v1/namespaces/${name}` }
}

/** Waits, as long as a loaded machine may need, until it holds. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  await until(what, 60_000, async () => (await holds()) || undefined)
}

/** Waits until what is read at a path fits, and gives it. */
export function untilBody(api: Api, path: string, what: string, fits: (body: any) => boolean): Promise<any> {
  return until(what, 60_000, async () => {
    const { status, body } = await api.get(path)
    return status === 200 && fits(body) ? body : undefined
  })
}

/** Waits until nothing is there. */
export function untilGone(api: Api, path: string): Promise<void> {
  return eventually(`${path} to be gone`, async () => (await api.get(path)).status === 404)
}

export const conditionOf = (object: any, type: string) =>
  object.status?.conditions?.find((condition: { type: string }) => condition.type === type)
