/** What stands at the standby for declared data, how old the last good copy is, and when a promotion is done. */
import t from 'tap'
import { cnpgPromotion, cnpgState, followerOf } from '../../../services/broker/mirror/core/cnpg.ts'
import { type DataObject, durationMs } from '../../../services/broker/mirror/core/data.ts'
import {
  filledClaim,
  replicationDestination,
  replicationSource,
  restored,
  volsyncState,
} from '../../../services/broker/mirror/core/volsync.ts'

const now = Date.parse('2026-11-30T12:00:00Z')
const cluster = (spec: object, status: object = {}): DataObject => ({
  apiVersion: 'postgresql.cnpg.io/v1',
  kind: 'Cluster',
  metadata: { name: 'db' },
  spec: { ...spec },
  status: { ...status },
})
const store = { destinationPath: 's3://kopie/', s3Credentials: { accessKeyId: { name: 's3', key: 'id' } } }
const plugin = {
  name: 'barman-cloud.cloudnative-pg.io',
  isWALArchiver: true,
  parameters: { barmanObjectName: 'kopie' },
}
const warm = { mode: 'warm', warmReplicas: 1, place: 'breda-3', namespace: 'open-zaak' } as const
const specOf = (found: ReturnType<typeof followerOf>) => ('object' in found ? found.object.spec : undefined)

t.test('a replica follows the archive, and archives itself elsewhere', async (t) => {
  const own = { instances: 3, imageName: 'registry.invalid/postgresql:18', bootstrap: { initdb: { database: 'zaak' } } }
  t.same(
    specOf(followerOf(cluster({ ...own, backup: { retentionPolicy: '7d', barmanObjectStore: store } }), warm, true)),
    {
      instances: 1,
      imageName: 'registry.invalid/postgresql:18',
      backup: { retentionPolicy: '7d', barmanObjectStore: { ...store, serverName: 'db-breda-3' } },
      bootstrap: { recovery: { source: 'gemeentecloud-origin' } },
      externalClusters: [{ name: 'gemeentecloud-origin', barmanObjectStore: { ...store, serverName: 'db' } }],
      replica: { enabled: true, source: 'gemeentecloud-origin' },
    },
  )
  t.match(specOf(followerOf(cluster({ plugins: [plugin] }), warm, true)), {
    plugins: [{ parameters: { barmanObjectName: 'kopie', serverName: 'db-breda-3' } }],
    externalClusters: [{ plugin: { name: plugin.name, parameters: { barmanObjectName: 'kopie', serverName: 'db' } } }],
  })
  const before = cluster({
    plugins: [{ ...plugin, parameters: { ...plugin.parameters, serverName: 'db-breda-3' } }],
    externalClusters: [{ name: 'gemeentecloud-origin' }, { name: 'other' }],
    replica: { enabled: false, source: 'gemeentecloud-origin' },
  })
  t.match(
    specOf(followerOf(before, { ...warm, place: 'amersfoort-4' }, true)),
    {
      plugins: [{ parameters: { serverName: 'db-amersfoort-4' } }],
      externalClusters: [{ name: 'other' }, { plugin: { parameters: { serverName: 'db-breda-3' } } }],
    },
    'and back again, from the archive that it has since',
  )
  const made = specOf(followerOf(cluster({ instances: 3, plugins: [plugin] }), { ...warm, mode: 'cold' }, false))
  t.equal(made?.['replica'], undefined, 'made at a failover it is a primary from the start')
  t.equal(made?.['instances'], 3)
  t.match(followerOf(cluster({}), warm, true), { problem: /archives to no object store/ })
})

t.test('how old the last good copy of a database is', async (t) => {
  const archiving = (status: string) => ({
    conditions: [{ type: 'ContinuousArchiving', status, lastTransitionTime: '2026-11-30T11:00:00Z' }],
    lastSuccessfulBackup: '2026-11-29T00:00:00Z',
  })
  const healthy = cluster({}, { phase: 'Cluster in healthy state' })
  const state = (here: DataObject | undefined, there: DataObject | undefined = healthy) =>
    cnpgState('db', here, there, 'warm', now)
  t.same(state(cluster({}, archiving('True'))), { kind: 'cnpg', name: 'db', goodAtMs: now - 300_000, problem: null })
  const quick = { postgresql: { parameters: { archive_timeout: '1min' } } }
  t.equal(state(cluster(quick, archiving('True'))).goodAtMs, now - 60_000)
  t.match(state(cluster({}, archiving('False'))), {
    goodAtMs: Date.parse('2026-11-30T11:00:00Z'),
    problem: /does not archive/,
  })
  t.match(state(cluster({}, { ...archiving('True'), lastSuccessfulBackup: undefined })), {
    goodAtMs: null,
    problem: /no base backup/,
  })
  t.match(state(cluster({}, archiving('True')), cluster({}, { phase: 'Setting up primary' })), {
    problem: 'its replica is not healthy: Setting up primary',
  })
  t.match(cnpgState('db', cluster({}, archiving('True')), undefined, 'cold', now), { problem: null })
  t.match(state(undefined), { goodAtMs: null, problem: /there is no Cluster/ })
})

t.test('a database is promoted when it says so', async (t) => {
  const following = cluster(
    { replica: { enabled: true } },
    { phase: 'Cluster in healthy state', currentPrimary: 'db-1' },
  )
  t.equal(cnpgPromotion(following).state, 'waiting', 'healthy as a follower is not promoted')
  t.equal(cnpgPromotion(cluster({ replica: { enabled: false } }, { phase: 'Promoting' })).state, 'waiting')
  t.equal(cnpgPromotion(cluster({}, { phase: 'Cluster in healthy state', currentPrimary: 'db-1' })).state, 'done')
})

const volume = { kind: 'volsync', name: 'data', repository: 'restic' } as const

t.test('a volume is copied on schedule, and brought back on order', async (t) => {
  t.match(replicationSource(volume, 'open-zaak'), {
    metadata: { name: 'gemeentecloud-data', namespace: 'open-zaak' },
    spec: { sourcePVC: 'data', trigger: { schedule: '*/15 * * * *' }, restic: { repository: 'restic' } },
  })
  const claim = {
    storageClassName: 'snel',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    volumeName: 'pv-1',
  }
  t.match(replicationDestination(volume, claim, 'open-zaak', 'opr_1'), {
    spec: {
      trigger: { manual: 'opr_1' },
      restic: { repository: 'restic', capacity: '1Gi', accessModes: ['ReadWriteOnce'], storageClassName: 'snel' },
    },
  })
  const filled = filledClaim(
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: claim },
    'open-zaak',
    {},
  )
  t.match(filled.spec, { dataSourceRef: { kind: 'ReplicationDestination', name: 'gemeentecloud-data' } })
  t.notOk(Object.hasOwn(filled.spec ?? {}, 'volumeName'))
  const destination = (status: object) => ({
    ...replicationDestination(volume, claim, 'x', 'opr_1'),
    status: { ...status },
  })
  const image = { kind: 'VolumeSnapshot', name: 'snap' }
  t.equal(restored(destination({ lastManualSync: 'opr_1', latestImage: image }), 'opr_1').state, 'done')
  t.equal(restored(destination({ lastManualSync: 'opr_0', latestImage: image }), 'opr_1').state, 'waiting', 'of before')
  t.equal(restored(destination({ latestMoverStatus: { result: 'Failed' } }), 'opr_1').state, 'failed')
  t.equal(restored(undefined, 'opr_1').state, 'waiting')
})

t.test('how old the last good copy of a volume is', async (t) => {
  const source = (status: object) => ({ ...replicationSource(volume, 'x'), status: { ...status } })
  const ended = { lastSyncTime: '2026-11-30T11:45:00Z', lastSyncDuration: '1m30.5s' }
  t.same(volsyncState('data', source(ended)), {
    kind: 'volsync',
    name: 'data',
    goodAtMs: Date.parse('2026-11-30T11:43:29.500Z'),
    problem: null,
  })
  t.match(volsyncState('data', source({ ...ended, latestMoverStatus: { result: 'Failed' } })), { problem: /failed/ })
  t.match(volsyncState('data', undefined), { goodAtMs: null, problem: /no copy/ })
  t.equal(durationMs('1h2m3.5s'), 3_723_500)
  t.equal(durationMs('250ms'), 250)
  t.equal(durationMs('soon'), undefined)
})
