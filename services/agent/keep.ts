/** Where an agent keeps what it is known by: in a Secret of its own namespace, or in a file where it is no pod. */
import { existsSync, readFileSync } from 'node:fs'
import { type ClusterClient, KubernetesError } from '../shared/kubernetes/index.ts'
import { writeDurably } from './durable-file.ts'

/** The key is made here and never leaves; the rest is what the desk answered. PEM. */
export interface Kept {
  readonly key: string
  readonly certificate?: string
  readonly authorities?: readonly string[]
  readonly tunnels?: readonly string[]
}

export interface Keep {
  read(): Promise<Kept | undefined>
  /** Keeps the first of what two replicas make at once. Returns what is kept. */
  begin(kept: Kept): Promise<Kept>
  write(kept: Kept): Promise<void>
}

export function keepInFile(path: string): Keep {
  const read = async () => (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kept) : undefined)
  const write = async (kept: Kept) => writeDurably(path, JSON.stringify(kept))
  return {
    read,
    write,
    begin: async (kept) => {
      await write(kept)
      return kept
    },
  }
}

const field = 'agent.json'
const fieldManager = 'gemeentecloud-agent'

export function keepInSecret(client: ClusterClient, namespace: string, name: string): Keep {
  const ref = { apiVersion: 'v1', kind: 'Secret', name, namespace }
  const data = (kept: Kept) => ({ [field]: Buffer.from(JSON.stringify(kept)).toString('base64') })
  const read = async () => {
    const secret = (await client.read(ref)) as { data?: Record<string, string> } | undefined
    const text = secret?.data?.[field]
    return text === undefined ? undefined : (JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Kept)
  }
  return {
    read,
    write: async (kept) => {
      await client.patch(ref, { data: data(kept) }, { fieldManager })
    },
    begin: async (kept) => {
      try {
        await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: data(kept) })
        return kept
      } catch (error) {
        if (!(error instanceof KubernetesError && error.status === 409)) throw error
        return (await read()) ?? kept
      }
    },
  }
}
