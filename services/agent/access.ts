/** How the agent reaches its own cluster: as a pod there, or with a kubeconfig that somebody gave it. */
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { createSecureContext } from 'node:tls'
import { systemClock } from '../shared/clock.ts'
import { oneServer } from '../shared/http/pipe-agent.ts'
import { type Connection, sanitizeKubeconfig } from '../shared/kubernetes/index.ts'

export interface ClusterAccess {
  readonly connection: Connection
  readonly base: URL
  /** Verifies the API server, and shows a client certificate when there is one. */
  readonly agent: https.Agent
  /** What is sent as Authorization, asked at each request: Kubernetes renews the token of a pod, long before the old one ends. */
  authorization(): string | undefined
}

const everywhere = { allowedAddresses: ['0.0.0.0/0', '::/0'] }
const atOnce = 512

/** Where every pod finds the token and authority of its ServiceAccount. */
export const podFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

const believedMs = 1_000

/** As a pod. Throws when this is none. */
export function podAccess(
  environment: NodeJS.ProcessEnv,
  { folder = podFolder, monotonic = systemClock.monotonic } = {},
): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (!host)
    throw new Error('this is no pod of Kubernetes: set KUBECONFIG to a file with a token or client certificate')
  const token = () => readFileSync(`${folder}/token`, 'utf8').trim()
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const caData = readFileSync(`${folder}/ca.crt`).toString('base64')
  let known = { token: token(), at: monotonic() }
  return accessOf({ server, caData, token: known.token }, () => {
    if (monotonic() - known.at >= believedMs) known = { token: token(), at: monotonic() }
    return `Bearer ${known.token}`
  })
}

/** By the text of a kubeconfig. Throws with what is wrong with it. */
export function kubeconfigAccess(text: string): ClusterAccess {
  const read = sanitizeKubeconfig(text, everywhere)
  if (!read.ok) throw new Error(read.errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; '))
  const { connection } = read
  const authorization = 'token' in connection ? `Bearer ${connection.token}` : undefined
  return accessOf(connection, () => authorization)
}

function accessOf(connection: Connection, authorization: ClusterAccess['authorization']): ClusterAccess {
  const pem = (data: string) => Buffer.from(data, 'base64')
  const shown = 'certData' in connection ? { cert: pem(connection.certData), key: pem(connection.keyData) } : {}
  // One context for all connections: parsing the certificates for each costs milliseconds and memory.
  const secureContext = createSecureContext({ ca: pem(connection.caData), ...shown, minVersion: 'TLSv1.2' })
  return {
    connection,
    base: new URL(connection.server),
    agent: oneServer(new https.Agent({ secureContext, keepAlive: true, maxSockets: atOnce })),
    authorization,
  }
}

export const ownPolicy = everywhere
