/** Which workloads sleep until their data has been brought back, and that nobody wakes them but who ends the wait. */
import t from 'tap'
import { copyOf, isHeld, type Standing } from '../../../services/broker/mirror/core/copy.ts'
import type { Declared } from '../../../services/broker/mirror/core/data.ts'
import { essenceOf } from '../../../services/broker/mirror/core/essence.ts'
import type { MirroredObject } from '../../../services/broker/mirror/core/objects.ts'
import { undeclaredReplicas, waitsForData } from '../../../services/broker/mirror/core/waiting.ts'
import type { DataContext } from '../../../services/broker/mirror/data/context.ts'
import { ofOtherReplicas, withAsleep } from '../../../services/broker/mirror/data/tell.ts'
import { digestOf } from '../../../services/broker/mirror/digest.ts'
import { readOptionsOf } from '../../../services/broker/mirror/options.ts'
import type { PairRow } from '../../../services/broker/mirror/store.ts'
import { endOfWait, type KubernetesObject, workloads } from '../../../services/shared/kubernetes/index.ts'

const volsync = (name: string): Declared => ({ kind: 'volsync', name, repository: 'restic' })
const velero: Declared = { kind: 'velero', name: 'gedeeld' }

function workload(kind: string, name: string, spec: object): MirroredObject {
  return { apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'open-zaak' }, spec: { replicas: 3, ...spec } }
}
const mounts = (claimName?: string) => ({
  template: { spec: { volumes: [{ name: 'v', ...(claimName && { persistentVolumeClaim: { claimName } }) }] } },
})
const db = workload('StatefulSet', 'db', { ...mounts(), volumeClaimTemplates: [{ metadata: { name: 'data' } }] })
const web = workload('Deployment', 'web', mounts('files'))
const plain = workload('Deployment', 'plain', mounts())

t.test('what waits is what has a claim that is brought back', async (t) => {
  t.ok(waitsForData(db, [volsync('data-db-0')]), 'by a template')
  t.ok(waitsForData(db, [volsync('data-db-11')]), 'however many there are now')
  for (const name of ['data-db', 'data-db-x', 'data-other-0', 'x-data-db-0', 'data-db-0-1'])
    t.notOk(waitsForData(db, [volsync(name)]), name)
  t.notOk(waitsForData({ ...db, kind: 'Deployment' }, [volsync('data-db-0')]), 'only that kind has templates')
  t.ok(waitsForData(web, [volsync('files')]), 'by name')
  t.notOk(waitsForData(web, [volsync('other')]))
  for (const one of [db, web]) t.ok(waitsForData(one, [velero]), 'all volumes come back')
  for (const data of [[], [velero], [volsync('files')]])
    t.notOk(waitsForData(plain, data), 'what has none starts at once')
  for (const one of [db, web]) t.notOk(waitsForData(one, [{ kind: 'cnpg', name: 'db' }]))
  t.notOk(waitsForData({ ...db, apiVersion: 'databank.example/v1' }, [velero]), 'of Kubernetes itself')
})

const source = { namespaceUid: 'ns-1', uid: 'uid-1' }
const options = { isMadeThere: () => true, isLeftOut: () => false }
const essence = (given: object) => essenceOf(given as MirroredObject, options) as MirroredObject
const standing = (mode: Standing['mode'], waits: boolean): Standing => ({
  mode,
  warmReplicas: 1,
  isScaled: () => false,
  waits: () => waits,
})
const copyAt = (mode: Standing['mode'], waits = true) => copyOf(essence(db), source, standing(mode, waits))
/** As a merge patch of the API server leaves it. */
function after(object: MirroredObject, change: object | undefined): MirroredObject {
  const { metadata, spec } = (change ?? {}) as {
    metadata?: { annotations: Record<string, string | null> }
    spec?: object
  }
  const annotations = { ...object.metadata.annotations, ...metadata?.annotations }
  const kept = Object.entries(annotations).filter((entry): entry is [string, string] => entry[1] !== null)
  return {
    ...object,
    metadata: { ...object.metadata, annotations: Object.fromEntries(kept) },
    spec: { ...(object['spec'] as object), ...spec },
  }
}
const wake = (object: MirroredObject) =>
  after(object, workloads.find(({ kind }) => kind === object.kind)?.wake(object as KubernetesObject, '1.2'))
const rest = (object: MirroredObject) =>
  after(object, workloads.find(({ kind }) => kind === object.kind)?.rest(object as KubernetesObject))
const endWait = (object: MirroredObject) => after(object, endOfWait(object as KubernetesObject))
const replicasOf = (object: MirroredObject) => (object['spec'] as { replicas: number }).replicas

t.test('it runs nowhere in any mode, and says the same as what it is a copy of', async (t) => {
  for (const mode of ['cold', 'warm', 'hot'] as const) {
    const copy = copyAt(mode)
    t.equal(replicasOf(copy), 0, mode)
    t.ok(isHeld(copy, standing(mode, true)))
    t.equal(digestOf(essence(copy)), digestOf(essence(db)))
    t.notOk(isHeld(copy, standing(mode, false)), 'when its data is declared no more it is written anew')
    t.notOk(isHeld(copyAt(mode, false), standing(mode, true)), 'and when it is')
    t.notOk(Object.hasOwn(copyAt(mode, false).metadata.annotations ?? {}, 'gemeentecloud.nl/waits-for-data'))
  }
})

t.test('who wakes a hosting lets it sleep, however often; who ends its wait gives it all it is to have', async (t) => {
  const woken = wake(wake(rest(wake(copyAt('cold')))))
  t.equal(replicasOf(woken), 0)
  t.equal(digestOf(essence(woken)), digestOf(essence(db)), 'what it is to have is not forgotten')
  const started = endWait(woken)
  t.equal(replicasOf(started), 3)
  t.same(Object.keys(started.metadata.annotations ?? {}), ['gemeentecloud.nl/mirrored-from'])
  t.equal(endOfWait(started as KubernetesObject), undefined, 'once')
  t.equal(replicasOf(endWait(copyAt('cold'))), 3, 'also where nobody else has woken it')
})

t.test('who scales it up by hand has not waited, and that is what is wanted from then on', async (t) => {
  const byHand = after(wake(copyAt('cold')), { metadata: { annotations: {} }, spec: { replicas: 2 } })
  t.equal((essence(byHand)['spec'] as { replicas: number }).replicas, 2)
  t.equal(replicasOf(endWait(byHand)), 2)
  const rested = rest(byHand)
  t.equal((essence(rested)['spec'] as { replicas: number }).replicas, 2, 'at rest too')
  t.equal(replicasOf(wake(rested)), 2)
  t.equal(replicasOf(endWait(rested)), 0, 'whose turn it is to wake it is another matter')
})

const row = (more: Partial<PairRow>) => ({ mode: 'cold', warmReplicas: 1, data: [velero], ...more }) as PairRow
const waitsAt = (more: Partial<PairRow>) => readOptionsOf(row(more), [], new Map()).standing.waits(db)

t.test('only where it stands by, and is handed over', async (t) => {
  t.ok(waitsAt({ role: 'standby', activity: 'exclusive' }))
  t.ok(waitsAt({ role: 'standby', activity: 'pinned' }))
  t.notOk(waitsAt({ role: 'standby', activity: 'shared' }), 'no operation would ever wake it')
  t.notOk(waitsAt({ role: 'former', activity: 'pinned' }), 'nothing is written there')
  t.notOk(waitsAt({ role: 'standby', activity: 'pinned', data: null }))
  t.notOk(waitsAt({ role: 'standby', activity: 'pinned', data: [] }))
})

const seen = (kind: string, name: string, waits = false) =>
  [`${kind}/${name}`, { apiVersion: 'v1', kind, name, uid: 'u', digest: 'd', ...(waits && { waits }) }] as const
const context = (isUnderWay: boolean, ...objects: ReturnType<typeof seen>[]) =>
  ({
    active: { slug: 'breda' },
    objects: new Map(objects),
    grant: async () => ({ isUnderWay, isPromoting: isUnderWay }),
  }) as unknown as DataContext
const good = { kind: 'velero', name: 'gedeeld', goodAtMs: 1, problem: null } as const

t.test('what waits where it runs, and nobody brings its data any more, is told', async (t) => {
  const asleep = context(false, seen('StatefulSet', 'db', true), seen('Deployment', 'web'))
  const failed = { ...good, problem: 'the last copy failed' }
  const [first, second] = await withAsleep(asleep, [good, failed])
  t.match(first?.problem, /^StatefulSet db at breda waits/)
  t.equal(second?.problem, failed.problem, 'but not instead of what is wrong with the copies')
  t.same(await withAsleep(context(true, seen('StatefulSet', 'db', true)), [good]), [good], 'an operation sees to it')
  t.same(await withAsleep(context(false, seen('Deployment', 'web')), [good]), [good])
})

t.test('a replica whose claim nobody declared is told', async (t) => {
  const claims = ['data-db-0', 'data-db-1', 'data-db-2', 'files', 'data-web-0']
  t.same(undeclaredReplicas(claims, [volsync('data-db-0'), volsync('data-db-1')]), ['data-db-2'])
  t.same(undeclaredReplicas(claims, [velero]), [], 'all of them come back')
  t.same(undeclaredReplicas(claims, [volsync('files')]), [])
  const told = ofOtherReplicas(context(false, ...claims.map((name) => seen('PersistentVolumeClaim', name))), [
    volsync('data-db-0'),
    volsync('data-db-1'),
  ])
  t.match(told, [{ kind: 'undeclared', name: 'PersistentVolumeClaim/data-db-2', problem: /empty/ }])
})
