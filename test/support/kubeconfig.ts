/** A kubeconfig that the broker takes, for a cluster that is nowhere: its address belongs to documentation (RFC 5737). */
import { stringify } from 'yaml'
import { createAuthority } from '../unit/shared/kubernetes/authority.ts'

export function acceptableKubeconfig(): string {
  const caData = Buffer.from(createAuthority().ca).toString('base64')
  const cluster = { server: 'https://203.0.113.5:6443', 'certificate-authority-data': caData }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'there', cluster }],
    users: [{ name: 'broker', user: { token: 'a-token-of-that-cluster' } }],
    contexts: [{ name: 'there', context: { cluster: 'there', user: 'broker' } }],
    'current-context': 'there',
  })
}
