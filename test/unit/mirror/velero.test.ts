/** Volumes by Velero: what is asked of it, how old what can be brought back is, and when it has been brought back. */
import t from 'tap'
import {
  type Backup,
  backupOf,
  newestGood,
  restoreName,
  restoreOf,
  scheduleOf,
  veleroRestored,
  veleroState,
} from '../../../services/broker/mirror/core/velero.ts'

const labels = { 'gemeentecloud.nl/hosting': 'hst_1' }
const owner = { hostingId: 'hst_1', labels, namespace: 'open-zaak', namespaceUid: 'uid-1' }
const declared = { kind: 'velero', name: 'gedeeld' } as const
const grant = (counter: number) => ({ generation: 1, counter })

function backup(name: string, phase: string, startTimestamp: string, counter = 2, more: object = {}): Backup {
  const status = { phase, startTimestamp, backupItemOperationsCompleted: 1, ...more }
  const found = backupOf({ metadata: { name, labels: { 'gemeentecloud.nl/epoch': `1.${counter}` } }, status })
  if (!found) throw new Error(name)
  return found
}

t.test('all volumes of the hosting and nothing else are copied, for as long as its namespace is there', async (t) => {
  const schedule = scheduleOf(declared, owner, grant(2), false)
  t.match(schedule, {
    metadata: {
      name: 'gemeentecloud-hst-1',
      namespace: 'velero',
      ownerReferences: [{ kind: 'Namespace', name: 'open-zaak', uid: 'uid-1' }],
    },
    spec: {
      schedule: '0 * * * *',
      paused: false,
      skipImmediately: true,
      template: { includedNamespaces: ['open-zaak'], snapshotMoveData: true, storageLocation: 'gedeeld' },
    },
  })
  const { template } = schedule.spec as { template: { metadata: object; includedResources: string[] } }
  t.same(template.metadata, { labels: { ...labels, 'gemeentecloud.nl/epoch': '1.2' } }, 'and by which grant it ran')
  t.same(template.includedResources, ['persistentvolumeclaims', 'persistentvolumes'], 'objects come by the mirror')
  t.match(scheduleOf({ ...declared, schedule: '*/5 * * * *' }, owner, grant(2), true).spec, {
    schedule: '*/5 * * * *',
    paused: true,
  })
})

t.test('a failover brings back once, from one copy, into the one namespace, and claims alone', async (t) => {
  const restore = restoreOf('gemeentecloud-hst-1-1', owner, 'opr_01ABC')
  t.equal(restore.metadata.name, 'gemeentecloud-opr-01abc')
  t.not(restoreName('opr_2'), restore.metadata.name)
  const only = { backupName: 'gemeentecloud-hst-1-1', includedNamespaces: ['open-zaak'] }
  t.match(restore.spec, { ...only, includedResources: ['persistentvolumeclaims'] })
  const claim = (name: string, by = 'gemeentecloud-opr-01abc') => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, labels: { 'velero.io/restore-name': by } },
  })
  const told = (status: object, ...claims: ReturnType<typeof claim>[]) =>
    veleroRestored({ ...restore, status: { ...status } }, claims)
  for (const waiting of [{}, { phase: 'InProgress' }, { phase: 'WaitingForPluginOperations' }, { phase: 'Finalizing' }])
    t.equal(told(waiting).state, 'waiting', JSON.stringify(waiting))
  t.same(told({ phase: 'Completed' }, claim('a'), claim('b')), { state: 'done', reason: null })
  t.match(told({ phase: 'Completed' }, claim('a'), claim('b', 'earlier')), { state: 'failed', reason: /b was not/ })
  t.match(told({ phase: 'Completed' }), { state: 'failed', reason: /no claim/ }, 'it says so of nothing too')
  t.match(told({ phase: 'PartiallyFailed', failureReason: 'no space' }), { state: 'failed', reason: /no space/ })
  t.match(told({ phase: 'FailedValidation', validationErrors: ['no backup'] }), {
    state: 'failed',
    reason: /no backup/,
  })
})

t.test('what is brought back is of who held it last, whoever copied later', async (t) => {
  const first = backup('first', 'Completed', '2026-11-30T09:00:00Z', 1)
  const second = backup('second', 'Completed', '2026-11-30T10:00:00Z', 2)
  const late = backup('late', 'Completed', '2026-11-30T12:00:00Z', 1)
  const ownEmpty = backup('own', 'Completed', '2026-11-30T12:30:00Z', 3)
  const all = [first, second, late, ownEmpty]
  t.equal(newestGood(all, grant(3), 'before')?.name, 'second', 'not of a site that was left, nor its own')
  t.equal(newestGood([first, late, ownEmpty], grant(3), 'before')?.name, 'late')
  t.equal(newestGood([ownEmpty], grant(3), 'before'), undefined)
  t.equal(newestGood(all, grant(3), 'up-to')?.name, 'own')
})

t.test('a copy counts from when it was begun, and once the site that would need it knows of it', async (t) => {
  const old = backup('old', 'Completed', '2026-11-30T10:00:00Z')
  const good = backup('good', 'Completed', '2026-11-30T11:00:00Z')
  const running = backup('running', 'InProgress', '2026-11-30T12:00:00Z')
  const bad = backup('bad', 'PartiallyFailed', '2026-11-30T12:00:00Z', 2, { failureReason: 'timed out' })
  const bare = backup('bare', 'Completed', '2026-11-30T12:00:00Z', 2, { backupItemOperationsCompleted: 0 })
  const goodAtMs = Date.parse('2026-11-30T11:00:00Z')
  const state = (here: Backup[], there: Backup[]) => veleroState('gedeeld', here, there, grant(2))
  t.same(state([old, good, running], [good, old]), { kind: 'velero', name: 'gedeeld', goodAtMs, problem: null })
  t.match(state([good, bad], [good]), { goodAtMs, problem: /failed: timed out/ })
  t.match(state([good], []), { goodAtMs: null, problem: /BackupStorageLocation gedeeld/ })
  t.match(state([running], []), { goodAtMs: null, problem: /no copy of the volumes yet/ })
  t.match(
    state([bare], [bare]),
    { goodAtMs: null, problem: /holds no data/ },
    'what claims are like is not what is in them',
  )
  t.equal(backupOf({ metadata: { name: 'queued' } }), undefined)
})
