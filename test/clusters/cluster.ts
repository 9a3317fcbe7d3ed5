/** One real Kubernetes cluster on loopback: etcd, API server, controllers, scheduler, and KWOK for nodes and pods. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { Programs } from './build.ts'
import {
  argumentsOf,
  type Component,
  certificateFile,
  components,
  kubeconfigFor,
  loopback,
  type User,
  writeFiles,
} from './components.ts'
import { createNode, createStorageClass, type NodeSpec, type StorageClassSpec } from './manifests.ts'
import { freePorts, ourFolderPrefix, portsAreFree, type Running, start } from './processes.ts'
import { until } from './wait.ts'

export interface ClusterSpec {
  /** A DNS label. */
  readonly name: string
  readonly nodes: readonly NodeSpec[]
  readonly storageClasses?: readonly StorageClassSpec[]
  /** Users beside the administrator; they may do what RBAC grants them or these groups: at first nothing. */
  readonly users?: readonly { readonly name: string; readonly groups?: readonly string[] }[]
  /** Of its API server; that of loopback when absent. */
  readonly address?: string
  /** What KWOK plays of logs and sessions (`ClusterLogs`, `ClusterExec`, …); at first nothing. */
  readonly played?: readonly object[]
}

export interface Cluster {
  readonly name: string
  /** `https://address:port`. */
  readonly server: string
  /** PEM, the authority of the server's certificate. */
  readonly ca: string
  /** YAML of the administrator, CA and token inline. */
  readonly kubeconfig: string
  /** YAML of one of the spec's users. */
  kubeconfigOf(user: string): string
  /** Runs kubectl as the administrator and gives its standard output; rejects with its standard error. */
  kubectl(...args: string[]): Promise<string>
  helm(...args: string[]): Promise<string>
  /** `kubectl apply --server-side` of manifests. */
  apply(...objects: readonly object[]): Promise<void>
  /** A GET as the administrator, parsed; undefined when there is no such object. */
  read<T>(path: string): Promise<T | undefined>
  /** SIGKILL to all processes, or to the named ones; resolves when they are gone. */
  kill(...which: Component[]): Promise<void>
  /** Starts again what is not running, with the same data and address; resolves when the API server is ready. */
  restart(): Promise<void>
  /** Ends everything and removes the data; resolves when the ports are free. May be called twice. */
  stop(): Promise<void>
}

const token = () => randomBytes(16).toString('hex')

/** Starts a cluster; resolves when the API server is ready, the nodes are Ready and pods can be made in `default`. */
export async function startCluster(programs: Programs, spec: ClusterSpec): Promise<Cluster> {
  const folder = mkdtempSync(ourFolderPrefix)
  const [etcd = 0, etcdPeer = 0, apiserver = 0, kubelet = 0] = await freePorts(4)
  const ports = { etcd, etcdPeer, apiserver, kubelet }
  const admin: User = { name: 'admin', token: token(), groups: ['system:masters'] }
  const users = [admin, ...(spec.users ?? []).map(({ name, groups = [] }) => ({ name, groups, token: token() }))]
  writeFiles(folder, users, spec.played ?? [])

  const { address = loopback } = spec
  const server = `https://${address}:${ports.apiserver}`
  const running = new Map<Component, Running>()
  const logOf = (component: Component) => join(folder, `${component}.log`)
  const launch = (component: Component) => {
    if (running.get(component)?.isRunning()) return
    const args = argumentsOf(component, folder, ports, address)
    running.set(component, start(programs[component], args, logOf(component), folder))
  }
  const kill = async (...which: Component[]) => {
    const chosen = which.length === 0 ? components : which
    await Promise.all(chosen.map((component) => running.get(component)?.kill()))
  }
  let certificate = ''
  const read = async <T>(path: string) => {
    const { status, body } = await get(`${server}${path}`, certificate, admin.token)
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body.slice(0, 200)}`)
    return JSON.parse(body) as T
  }
  const servesApi = async () => {
    const dead = (['etcd', 'apiserver'] as const).find((component) => !running.get(component)?.isRunning())
    if (dead) throw new Error(`${dead} ended: ${readFileSync(logOf(dead), 'utf8').slice(-1500)}`)
    certificate = readFileSync(certificateFile(folder), 'utf8')
    const { status } = await get(`${server}/readyz`, certificate, admin.token)
    return status === 200 || undefined
  }
  const restart = async () => {
    if (!running.get('etcd')?.isRunning()) await portsAreFree([ports.etcd, ports.etcdPeer])
    if (!running.get('apiserver')?.isRunning()) await portsAreFree([ports.apiserver], address)
    launch('etcd')
    launch('apiserver')
    await until(`the API server of ${spec.name} to be ready`, 90_000, servesApi)
    writeFileSync(join(folder, 'admin.yaml'), kubeconfigFor(spec.name, server, certificate, admin), { mode: 0o600 })
    for (const component of components) launch(component)
  }
  const run = (program: 'kubectl' | 'helm', args: readonly string[], input = '') =>
    runTool(programs[program], args, input, folder)
  const apply = async (...objects: readonly object[]) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    await run('kubectl', ['apply', '--server-side', '--force-conflicts', '-f', '-'], list)
  }
  const stop = async () => {
    await kill()
    await portsAreFree(Object.values(ports))
    rmSync(folder, { recursive: true, force: true })
  }

  try {
    await restart()
    await apply(...spec.nodes.map(createNode), ...(spec.storageClasses ?? []).map(createStorageClass))
    await until(`${spec.name} to take pods`, 60_000, () => takesPods(read, spec.nodes.length))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name: spec.name,
    server,
    ca: certificate,
    kubeconfig: kubeconfigFor(spec.name, server, certificate, admin),
    kubeconfigOf: (name) => {
      const user = users.find((one) => one.name === name)
      if (!user) throw new RangeError(`${spec.name} has no user ${name}`)
      return kubeconfigFor(spec.name, server, certificate, user)
    },
    kubectl: (...args) => run('kubectl', args),
    helm: (...args) => run('helm', args),
    apply,
    read,
    kill,
    restart,
    stop,
  }
}

interface NodeList {
  readonly items: readonly {
    readonly spec: { readonly taints?: readonly { readonly key: string }[] }
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }[]
}

/** All nodes are Ready and known to be, and the service account that pods get exists. */
async function takesPods(read: Cluster['read'], nodes: number): Promise<true | undefined> {
  if (!(await read('/api/v1/namespaces/default/serviceaccounts/default'))) return undefined
  const list = await read<NodeList>('/api/v1/nodes')
  const ready = (list?.items ?? []).filter(
    ({ spec, status }) =>
      status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') &&
      !spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready'),
  )
  return ready.length >= nodes || undefined
}

function get(url: string, ca: string, token: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca, headers: { authorization: `Bearer ${token}` }, agent: false, timeout: 10_000 })
    call.on('timeout', () => call.destroy(new Error(`${url} did not answer`)))
    call.on('error', reject)
    call.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    call.end()
  })
}

/** kubectl and Helm with nothing of the machine's own settings: they keep their caches in the cluster's folder. */
function runTool(program: string, args: readonly string[], input: string, folder: string): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: join(folder, 'admin.yaml') }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'pipe' })
    const text = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text.stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text.stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(text.stdout)
      else reject(new Error(`${program.split('/').pop()} ${args.join(' ')}: ${text.stderr.trim()}`))
    })
    child.stdin.end(input)
  })
}
