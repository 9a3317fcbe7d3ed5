/** Declared data on two real clusters: what copies it stands at both, how old the copy is, and how it is brought to life. */
import t, { type Test } from 'tap'
import { promoteData } from '../../services/broker/mirror/index.ts'
import { databaseCluster, operators, tenantMay } from './data-kinds.ts'
import { pathOf } from './mirror-objects.ts'
import { type Mirrored, type MirrorStage, patience, setMirrorStage } from './mirror-stage.ts'
import { grantVelero } from './owner.ts'
import { copiesAt, says } from './played-operators.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

interface Story extends MirrorStage {
  readonly zaak: Mirrored
  readonly archive: Mirrored
}

type Chapter = (t: Test, story: Story) => Promise<void>

const space = 'open-zaak'
const at = {
  ...pathOf(space),
  database: `/apis/postgresql.cnpg.io/v1/namespaces/${space}/clusters/db`,
  source: `/apis/volsync.backube/v1alpha1/namespaces/${space}/replicationsources/gemeentecloud-data`,
  destination: `/apis/volsync.backube/v1alpha1/namespaces/${space}/replicationdestinations/gemeentecloud-data`,
}

const velero = '/apis/velero.io/v1/namespaces/velero'
const copied = {
  schedule: (id: string) => `${velero}/schedules/gemeentecloud-${id.replace('_', '-')}`,
  restore: `${velero}/restores/gemeentecloud-opr-1`,
  claim: '/api/v1/namespaces/archief/persistentvolumeclaims/stukken',
}
const claimOf = (labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'stukken', namespace: 'archief', labels },
  spec: { storageClassName: 'snel', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
})

const yes = async () => true
const no = async () => false
const dataOf = async ({ view }: Mirrored): Promise<any[]> =>
  (await view()).placements.find(({ role }: any) => role === 'standby').mirror?.data ?? []

const told = (zaak: Mirrored, what: string, isSo: (data: any[]) => boolean) =>
  until(what, patience, async () => {
    const data = await dataOf(zaak)
    return isSo(data) ? data : undefined
  })

const copiesStand: Chapter = async (t, { zaak }) => {
  const { primary, standby } = zaak
  await primary.apply(databaseCluster(space), {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: space },
    spec: { storageClassName: 'snel', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
  const replica = await until('the replica', patience, () => standby.read<any>(at.database))
  t.match(replica.spec, {
    instances: 1,
    replica: { enabled: true, source: 'gemeentecloud-origin' },
    bootstrap: { recovery: { source: 'gemeentecloud-origin' } },
    externalClusters: [{ plugin: { parameters: { barmanObjectName: 'kopie', serverName: 'db' } } }],
  })
  t.match(await until('the copier of the volume', patience, () => primary.read<any>(at.source)), {
    spec: { sourcePVC: 'data', restic: { repository: 'restic' }, trigger: { schedule: '*/5 * * * *' } },
  })
  t.equal(await standby.read(`${at.claim}/data`), undefined, 'no empty volume that would be taken for the data')
  t.ok(await until('what is needed of it', patience, () => standby.read(`${at.configMap}/gemeentecloud-volsync-data`)))
}

const ageIsTold: Chapter = async (t, { zaak, metrics }) => {
  const { primary, standby } = zaak
  const conditions = [{ type: 'ContinuousArchiving', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  await says(primary, 'clusters', 'db', { conditions, lastSuccessfulBackup: '2026-11-01T00:00:00Z' })
  await says(standby, 'clusters', 'db', { phase: 'Cluster in healthy state', currentPrimary: 'db-1' })
  await says(primary, 'replicationsources', 'gemeentecloud-data', {
    lastSyncTime: '2026-11-01T12:00:30Z',
    lastSyncDuration: '30s',
    latestMoverStatus: { result: 'Successful' },
  })
  const data = await told(zaak, 'the age of both', (all) => all.length === 2 && all.every((one) => one.goodAt !== null))
  t.match(data, [
    { kind: 'cnpg', name: 'db', problem: null },
    { kind: 'volsync', name: 'data', problem: null, goodAt: '2026-11-01T12:00:00.000Z' },
  ])
  t.match(await metrics(), /gemeentecloud_rpo_age_seconds\{hosting="open-zaak"\} \d/)
  await says(primary, 'clusters', 'db', { conditions: [{ ...conditions[0], status: 'False' }] })
  await told(zaak, 'that it does not archive', ([first]) => /does not archive/.test(first.problem ?? ''))
  await says(primary, 'clusters', 'db', { conditions })
}

const backedUp: Chapter = async (t, { archive, kit, reach }) => {
  const { primary, standby, id } = archive
  await primary.apply(claimOf())
  const scheduled = copied.schedule(id)
  const schedule = await until('the schedule, with the grant', patience, async () => {
    const found = await primary.read<any>(scheduled)
    return /^1\./.test(found?.spec.template.metadata.labels['gemeentecloud.nl/epoch'] ?? '') ? found : undefined
  })
  const namespace = await primary.read<any>('/api/v1/namespaces/archief')
  t.match(schedule, {
    metadata: { ownerReferences: [{ kind: 'Namespace', name: 'archief', uid: namespace.metadata.uid }] },
    spec: { schedule: '0 * * * *', paused: false, template: { includedNamespaces: ['archief'] } },
  })
  t.equal(await standby.read(scheduled), undefined, 'what does not run there is not copied from there')

  await copiesAt(primary, id, { '2026-11-01T10:00:00Z': 'Completed', '2026-11-01T11:00:00Z': 'Completed' })
  await told(archive, 'that the standby knows of no copy', ([one]) => /BackupStorageLocation/.test(one?.problem ?? ''))
  await copiesAt(standby, id, { '2026-11-01T10:00:00Z': 'Completed', '2026-11-01T11:00:00Z': 'InProgress' })
  await copiesAt(standby, 'another', { '2026-11-01T12:00:00Z': 'Completed' })
  const data = await told(archive, 'the age of the copy', ([one]) => one?.goodAt !== null && one?.problem === null)
  t.match(data, [{ kind: 'velero', name: 'gedeeld', goodAt: '2026-11-01T10:00:00.000Z' }])
  t.equal(await standby.read(copied.claim), undefined, 'no empty volume that would be taken for the data')

  await turn(kit, archive.id)
  await promoteData(kit, reach, id, 'opr_1', no)
  t.equal(await standby.read(copied.restore), undefined, 'not by an operation that is over')
  const promote = () => promoteData(kit, reach, id, 'opr_1', yes)
  t.match(await promote(), { state: 'waiting' })
  t.match(await standby.read(copied.restore), {
    spec: { backupName: 'gemeentecloud-archief-20261101100000', includedNamespaces: ['archief'] },
  })
  await says(standby, 'restores', 'gemeentecloud-opr-1', { phase: 'InProgress' }, 'velero')
  t.match(await promote(), { state: 'waiting' }, 'repeating it changes nothing')
  await says(standby, 'restores', 'gemeentecloud-opr-1', { phase: 'Completed' }, 'velero')
  t.match(await promote(), { state: 'failed' }, 'done, and nothing is there')
  await standby.apply(claimOf({ 'velero.io/restore-name': 'gemeentecloud-opr-1' }))
  t.match(await promote(), { state: 'done' })
  await until('the old schedule to be paused', patience, async () => {
    const old = await primary.read<any>(scheduled)
    return old?.spec.paused === true || undefined
  })
  await until('the new one to copy', patience, async () => {
    const now = await standby.read<any>(scheduled)
    return now?.spec.paused === false || undefined
  })
}

/** The roles as a failover leaves them. */
async function turn(kit: MirrorStage['kit'], id: string): Promise<void> {
  await kit.database.transaction(async (sql) => {
    const set = (from: string, to: string) =>
      sql.query('update placements set role = $3 where hosting_id = $1 and role = $2', [id, from, to])
    await set('primary', 'former')
    await set('standby', 'primary')
    sql.hint('placements')
  })
}

const promoted: Chapter = async (t, { zaak, kit, reach }) => {
  const { primary: lost, standby: active } = zaak
  await lost.kill()
  await turn(kit, zaak.id)
  t.match(await promoteData(kit, reach, zaak.id, 'opr_1', no), { state: 'waiting' })
  t.match(await active.read(at.database), { spec: { replica: { enabled: true } } }, 'not by an operation that is over')
  t.equal(await active.read(at.destination), undefined)
  const promote = () => promoteData(kit, reach, zaak.id, 'opr_1', yes)
  t.match(await promote(), { state: 'waiting' })
  t.match(await active.read(at.database), { spec: { replica: { enabled: false } } })
  t.match(await active.read(at.destination), { spec: { trigger: { manual: 'opr_1' }, restic: { capacity: '1Gi' } } })
  t.equal(await active.read(`${at.claim}/data`), undefined)
  t.match(await promote(), { state: 'waiting' }, 'repeating it changes nothing')
  await says(active, 'replicationdestinations', 'gemeentecloud-data', {
    lastManualSync: 'opr_1',
    latestImage: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'image' },
  })
  t.match(await promoteData(kit, reach, zaak.id, 'opr_1', no), { state: 'waiting' })
  t.equal(await active.read(`${at.claim}/data`), undefined, 'nor is it done with what it could not write')
  t.match(await promote(), { state: 'done' })
  t.match(await active.read(`${at.claim}/data`), {
    spec: { storageClassName: 'snel', dataSourceRef: { kind: 'ReplicationDestination', name: 'gemeentecloud-data' } },
  })
  t.match(await promote(), { state: 'done' })
  await lost.restart()
  await until('the old copier to be stopped', patience, async () => {
    const source = await lost.read<any>(at.source)
    return source?.spec.paused === true || undefined
  })
  t.match(await active.read(at.database), { spec: { replica: { enabled: false } } }, 'and the new one goes on')
  t.equal((await lost.read<any>(at.database)).spec.replica, undefined, 'what ran by itself is not written over')
}

const chapters: Readonly<Record<string, Chapter>> = {
  'what copies the data stands at both sites': copiesStand,
  'the age of the last good copy is told': ageIsTold,
  'all volumes copied by Velero, and brought back by it': backedUp,
  'promoted with nothing of the site that is lost': promoted,
}

t.test('declared data on two clusters', { skip }, async (t) => {
  const stage = await setMirrorStage(t, { timing: { dataMs: 2_000 } })
  for (const site of ['amersfoort', 'breda'] as const) {
    await stage.at(site).apply(...operators)
    await grantVelero(stage.at(site), 'broker')
  }
  const data = [
    { kind: 'cnpg', name: 'db' },
    { kind: 'volsync', name: 'data', repository: 'restic', schedule: '*/5 * * * *' },
  ]
  const zaak = await stage.host('open-zaak', 4, { mode: 'warm' }, { data })
  for (const cluster of [zaak.primary, zaak.standby]) await cluster.apply(tenantMay(space, stage.consumer.id))
  const archive = await stage.host('archief', 1, { mode: 'cold' }, { data: [{ kind: 'velero', name: 'gedeeld' }] })
  const story: Story = { ...stage, zaak, archive }
  for (const [name, chapter] of Object.entries(chapters)) {
    if (t.passing()) await t.test(name, (t) => chapter(t, story))
  }
})
