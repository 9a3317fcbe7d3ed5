/** The key that the agent and the guards of the nodes share: made once, by the first agent, and kept in a Secret. */
import { type ClusterClient, KubernetesError } from '../../shared/kubernetes/index.ts'
import type { Random } from '../../shared/random.ts'

const keyBytes = 32
const field = 'key'

export async function sharedKey(
  client: Pick<ClusterClient, 'read' | 'create'>,
  namespace: string,
  name: string,
  random: Random,
): Promise<Buffer> {
  const read = async () => {
    const secret = await client.read({ apiVersion: 'v1', kind: 'Secret', name, namespace })
    const text = (secret?.['data'] as Record<string, string> | undefined)?.[field]
    return text === undefined ? undefined : Buffer.from(text, 'base64')
  }
  const standing = await read()
  if (standing) return standing
  const made = Buffer.from(random.bytes(keyBytes))
  const data = { [field]: made.toString('base64') }
  try {
    await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data })
    return made
  } catch (error) {
    if (!(error instanceof KubernetesError && error.status === 409)) throw error
  }
  const others = await read()
  if (!others) throw new Error(`Secret ${name} has no ${field}`)
  return others
}
