/** How each program of a cluster is started: the flags, the files they need, and the kubeconfig that they share. */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from './build.ts'

export const components = ['etcd', 'apiserver', 'controller-manager', 'scheduler', 'kwok'] as const satisfies Program[]
export type Component = (typeof components)[number]

/** Where the API server listens unless it is told otherwise. */
export const loopback = '127.0.0.1'

export interface Ports {
  readonly etcd: number
  readonly etcdPeer: number
  readonly apiserver: number
  /** Of all nodes together, where KWOK answers for logs and sessions. */
  readonly kubelet: number
}

/** Who may call the API server; a member of `system:masters` may do everything. */
export interface User {
  readonly name: string
  readonly token: string
  readonly groups: readonly string[]
}

const stages = join(import.meta.dirname, 'stages.yaml')

/** The files that must be there before the first start. */
export function writeFiles(folder: string, users: readonly User[], played: readonly object[]): void {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  writeFileSync(join(folder, 'sa.key'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const rows = users.map(({ name, token, groups }) => `${token},${name},${name},"${groups.join(',')}"\n`)
  writeFileSync(join(folder, 'tokens.csv'), rows.join(''), { mode: 0o600 })
  writeFileSync(join(folder, 'played.yaml'), played.map((object) => `---\n${JSON.stringify(object)}\n`).join(''))
}

/** The API server signs its own certificate here at its first start; the file holds the chain up to its authority. */
export function certificateFile(folder: string): string {
  return join(folder, 'certs', 'apiserver.crt')
}

/** The command line of one program, without the program. */
export function argumentsOf(component: Component, folder: string, ports: Ports, address = loopback): string[] {
  const at = (name: string) => join(folder, name)
  const etcd = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  switch (component) {
    case 'etcd':
      return [
        '--name=default',
        `--data-dir=${at('etcd')}`,
        '--unsafe-no-fsync',
        `--listen-client-urls=${etcd}`,
        `--advertise-client-urls=${etcd}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
      ]
    case 'apiserver':
      return [
        `--etcd-servers=${etcd}`,
        `--bind-address=${address}`,
        `--secure-port=${ports.apiserver}`,
        `--cert-dir=${at('certs')}`,
        `--service-account-key-file=${at('sa.key')}`,
        `--service-account-signing-key-file=${at('sa.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--token-auth-file=${at('tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--anonymous-auth=false',
        '--service-cluster-ip-range=10.96.0.0/16',
        '--endpoint-reconciler-type=none',
        '--event-ttl=10m',
        // The name of a played node leads nowhere.
        '--kubelet-preferred-address-types=InternalIP',
        '--profiling=false',
      ]
    case 'controller-manager':
      return [
        `--kubeconfig=${at('admin.yaml')}`,
        `--service-account-private-key-file=${at('sa.key')}`,
        `--root-ca-file=${certificateFile(folder)}`,
        '--use-service-account-credentials',
        '--leader-elect=false',
        '--secure-port=0',
        '--controllers=*,-nodeipam,-cloud-node-lifecycle',
        // Nobody renews the nodes' leases: KWOK would wait for the old ones to expire after each restart.
        '--node-monitor-grace-period=24h',
      ]
    case 'scheduler':
      return [`--kubeconfig=${at('admin.yaml')}`, '--leader-elect=false', '--secure-port=0']
    case 'kwok':
      return [
        `--kubeconfig=${at('admin.yaml')}`,
        '--manage-all-nodes=true',
        `--config=${stages}`,
        `--config=${at('played.yaml')}`,
        '--node-ip=127.0.0.1',
        `--node-port=${ports.kubelet}`,
        `--server-address=127.0.0.1:${ports.kubelet}`,
      ]
  }
}

/** A kubeconfig with everything inline, as a datacenter hands it over. */
export function kubeconfigFor(cluster: string, server: string, ca: string, user: User): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${server}
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
users:
- name: ${user.name}
  user:
    token: ${user.token}
contexts:
- name: ${user.name}@${cluster}
  context:
    cluster: ${cluster}
    user: ${user.name}
current-context: ${user.name}@${cluster}
`
}
