/** What a datacenter must not forget of its hostings: one document, in its cluster or in a file, that only one life writes. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { DatacenterId, GuardDisk, NodeId, Profile, SiteDisk, SiteWrite } from '../../fallback/index.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { writeDurably } from '../durable-file.ts'

export interface Kept extends SiteDisk {
  /** Who this is and how it counts, as the desk last said; absent until it has. */
  readonly identity?: { readonly datacenter: DatacenterId; readonly profile: Profile }
  /** Of the latest desk that was heard. */
  readonly term: number
  readonly peers: Readonly<Record<DatacenterId, string>>
  /** Whose guards were heard, and who have not been found to be off since. */
  readonly nodes: readonly NodeId[]
  /** Of the guard in the agent itself; of its grants only those that outlive a lease. */
  readonly guard?: GuardDisk
}

/** What is said of it replaces what was; records by hosting. */
export type Change = Partial<Omit<Kept, 'incarnation' | 'records'>> & Partial<SiteWrite>

export const nothingKept: Kept = { incarnation: 0, records: [], term: 0, peers: {}, nodes: [] }

export function merged(kept: Kept, { records = [], ...change }: Change): Kept {
  if (records.length === 0) return { ...kept, ...change }
  const all = new Map([...kept.records, ...records].map((record) => [record.hosting, record]))
  return { ...kept, ...change, records: [...all.values()] }
}

export interface RecordStore {
  /** What is kept, and the version that a write must come from. */
  read(): Promise<{ readonly kept: Kept | undefined; readonly version: string }>
  /**
   * Durable when it resolves with the new version. Rejects when another has written since `version`, and when it is not known
   * whether it was kept.
   */
  write(kept: Kept, version: string): Promise<string>
}

export function recordInFile(path: string): RecordStore {
  const load = () =>
    existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { version: number; kept: Kept }) : undefined
  return {
    async read() {
      const found = load()
      return { kept: found?.kept, version: String(found?.version ?? 0) }
    },
    async write(kept, version) {
      const standing = load()?.version ?? 0
      if (String(standing) !== version) throw new Error('the record was written by another')
      writeDurably(path, JSON.stringify({ version: standing + 1, kept }))
      return String(standing + 1)
    },
  }
}

const field = 'site.json.gz'
const fieldManager = 'gemeentecloud-agent'

/** A Secret takes 1 MiB; compressed that is some twenty thousand hostings. */
export function recordInSecret(client: ClusterClient, namespace: string, name: string): RecordStore {
  const ref = { apiVersion: 'v1', kind: 'Secret', name, namespace }
  const dataOf = (kept: Kept) => ({ [field]: gzipSync(JSON.stringify(kept)).toString('base64') })
  return {
    async read() {
      const secret = (await client.read(ref)) as
        | { metadata: { resourceVersion?: string }; data?: Record<string, string> }
        | undefined
      const text = secret?.data?.[field]
      const kept = text && (JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as Kept)
      return { kept: kept || undefined, version: secret?.metadata.resourceVersion ?? '' }
    },
    async write(kept, version) {
      const data = dataOf(kept)
      const written =
        version === ''
          ? await client.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data })
          : await client.patch(ref, { metadata: { resourceVersion: version }, data }, { fieldManager })
      const next = written.metadata.resourceVersion
      if (!next) throw new Error('the API server gave no version of what it kept')
      return next
    },
  }
}
