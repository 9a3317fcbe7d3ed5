/** VolSync, Velero and what provisions volumes, as far as the desk has to do with them: what each would write is written here. */
import type { Test } from 'tap'
import type { Cluster } from './cluster.ts'
import { until } from './wait.ts'

/** What its operator would write. */
export const says = (cluster: Cluster, kind: string, name: string, status: object, namespace = 'open-zaak') =>
  cluster.kubectl(
    '-n',
    namespace,
    'patch',
    kind,
    name,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  )

/** As a site writes the copies that it makes, and those of others that it finds in the store that they share. */
export async function copiesAt(
  cluster: Cluster,
  hosting: string,
  phases: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [startTimestamp, phase] of Object.entries(phases)) {
    const name = `gemeentecloud-archief-${startTimestamp.replaceAll(/\D/g, '')}`
    // Of a grant before that by which it runs now, whatever that is.
    const labels = { 'gemeentecloud.nl/hosting': hosting, 'gemeentecloud.nl/epoch': '0.7' }
    const metadata = { name, namespace: 'velero', labels }
    await cluster.apply({ apiVersion: 'velero.io/v1', kind: 'Backup', metadata, spec: {} })
    await says(cluster, 'backups', name, { phase, startTimestamp, backupItemOperationsCompleted: 1 }, 'velero')
  }
}

/** Gives each claim of these namespaces a volume, also the one that VolSync would fill. Ended with the test. */
export function playVolumes(t: Test, cluster: Cluster, namespaces: readonly string[]): void {
  const over = new AbortController()
  const once = async (namespace: string) => {
    const { items } = (await cluster.read<any>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)) ?? {
      items: [],
    }
    const bare = items.filter(({ spec, metadata }: any) => !spec.volumeName && !metadata.deletionTimestamp)
    if (bare.length > 0) await cluster.apply(...bare.map(volumeFor))
  }
  const done = until('the end of the test', 3_600_000, async () => {
    for (const namespace of namespaces) await once(namespace).catch(() => undefined)
    return over.signal.aborted || undefined
  })
  t.teardown(() => {
    over.abort()
    return done
  })
}

const volumeFor = ({ metadata: { name, namespace, uid }, spec }: any): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: `pv-${uid}` },
  spec: {
    storageClassName: spec.storageClassName,
    accessModes: spec.accessModes,
    capacity: spec.resources.requests,
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
    hostPath: { path: `/var/lib/${uid}` },
  },
})
