/** Volumes by Velero: what is asked of it, how old what can be brought back is, and when it has been brought back. */
import t from 'tap'
import {
  backupOf,
  newestGood,
  restoreName,
  restoreOf,
  scheduleOf,
  veleroRestored,
  veleroState,
} from '../../../services/broker/mirror/core/velero.ts'

const owner = { labels: { 'gemeentecloud.nl/hosting': 'hst_1' }, namespace: 'open-zaak', namespaceUid: 'uid-1' }
const declared = { kind: 'velero', name: 'gedeeld' } as const
const backup = (name: string, phase: string, startTimestamp: string, more: object = {}) =>
  backupOf({ metadata: { name }, status: { phase, startTimestamp, ...more } }) ?? t.fail(name)
const copies = (...all: ReturnType<typeof backup>[]) => all.filter((one) => typeof one === 'object')

t.test('all volumes of the hosting and nothing else are copied, for as long as its namespace is there', async (t) => {
  const schedule = scheduleOf(declared, owner, false)
  t.match(schedule, {
    metadata: {
      name: 'gemeentecloud-open-zaak',
      namespace: 'velero',
      ownerReferences: [{ kind: 'Namespace', name: 'open-zaak', uid: 'uid-1' }],
    },
    spec: {
      schedule: '0 * * * *',
      paused: false,
      template: { includedNamespaces: ['open-zaak'], snapshotMoveData: true, storageLocation: 'gedeeld' },
    },
  })
  const { template } = schedule.spec as { template: { metadata: object; includedResources: string[] } }
  t.same(template.metadata, { labels: owner.labels }, 'by which both sites know its copies')
  t.same(template.includedResources, ['persistentvolumeclaims', 'persistentvolumes'], 'objects come by the mirror')
  t.match(scheduleOf({ ...declared, schedule: '*/5 * * * *' }, owner, true).spec, {
    schedule: '*/5 * * * *',
    paused: true,
  })
})

t.test('a failover brings back once, from one copy, into the one namespace', async (t) => {
  const restore = restoreOf('gemeentecloud-open-zaak-1', owner, 'opr_01ABC')
  t.equal(restore.metadata.name, 'gemeentecloud-open-zaak-opr-01abc')
  t.not(restoreName('open-zaak', 'opr_2'), restore.metadata.name)
  t.match(restore.spec, { backupName: 'gemeentecloud-open-zaak-1', includedNamespaces: ['open-zaak'] })
  const phase = (status: object) => veleroRestored({ ...restore, status: { ...status } })
  for (const waiting of [{}, { phase: 'InProgress' }, { phase: 'WaitingForPluginOperations' }, { phase: 'Finalizing' }])
    t.equal(phase(waiting).state, 'waiting', JSON.stringify(waiting))
  t.same(phase({ phase: 'Completed' }), { state: 'done', reason: null })
  t.match(phase({ phase: 'PartiallyFailed', failureReason: 'no space' }), { state: 'failed', reason: /no space/ })
  t.match(phase({ phase: 'FailedValidation', validationErrors: ['no backup'] }), {
    state: 'failed',
    reason: /no backup/,
  })
})

t.test('a copy counts from when it was begun, and once the site that would need it knows of it', async (t) => {
  const old = backup('old', 'Completed', '2026-11-30T10:00:00Z')
  const good = backup('good', 'Completed', '2026-11-30T11:00:00Z')
  const running = backup('running', 'InProgress', '2026-11-30T12:00:00Z')
  const bad = backup('bad', 'PartiallyFailed', '2026-11-30T12:00:00Z', { failureReason: 'timed out' })
  const goodAtMs = Date.parse('2026-11-30T11:00:00Z')
  t.equal(newestGood(copies(old, good, running, bad))?.name, 'good')
  t.same(veleroState('gedeeld', copies(old, good, running), copies(good, old)), {
    kind: 'velero',
    name: 'gedeeld',
    goodAtMs,
    problem: null,
  })
  t.match(veleroState('gedeeld', copies(good, bad), copies(good)), { goodAtMs, problem: /failed: timed out/ })
  t.match(veleroState('gedeeld', copies(good), []), { goodAtMs: null, problem: /BackupStorageLocation gedeeld/ })
  t.match(veleroState('gedeeld', copies(running), []), { goodAtMs: null, problem: /no copy of the volumes yet/ })
  t.equal(backupOf({ metadata: { name: 'queued' } }), undefined)
})
