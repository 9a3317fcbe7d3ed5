/** The storage that manifests ask for: claims, claims per replica, shared ones; a class and a size for each, or a refusal. */
import t from 'tap'
import { count, errorsOf, workload } from './count.ts'

const claim = (name: string, spec: string) =>
  `---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: ${name}}\nspec: {${spec}}\n`
const web = workload('Deployment', 'web')
const asked = 'storageClassName: snel, resources: {requests: {storage: 5Gi}}'

t.test('a claim of its own, once or for all', async (t) => {
  const volumesOf = async (mode: string) =>
    (await count(web + claim('files', `accessModes: [${mode}], ${asked}`))).volumes
  const volume = { name: 'files', storageClass: 'snel', size: '5Gi', accessMode: 'ReadWriteOnce' }
  t.same(await volumesOf('ReadWriteOnce'), [volume])
  t.same(await volumesOf('ReadWriteOncePod'), [volume])
  t.same(await volumesOf('ReadWriteOnce, ReadWriteMany'), [{ ...volume, accessMode: 'ReadWriteMany' }])
  t.same(await volumesOf('ReadOnlyMany'), [{ ...volume, accessMode: 'ReadWriteMany' }], 'many nodes read it')
})

t.test('a claim per replica', async (t) => {
  const spec = `replicas: 3\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {${asked}}}]`
  t.same((await count(workload('StatefulSet', 'db', { spec }))).volumes, [
    { name: 'data-db', storageClass: 'snel', size: '5Gi', accessMode: 'ReadWriteOnce', count: 3 },
  ])
  const pod = `volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {${asked}}}}}]`
  t.match((await count(workload('Deployment', 'web', { spec: 'replicas: 2', pod }))).volumes, [
    { name: 'scratch-web', count: 2 },
  ])
})

t.test('classes: as they stand, under another name, by default, or refused', async (t) => {
  const bare = web + claim('files', 'accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}')
  t.same(await errorsOf(bare), [
    'PersistentVolumeClaim/files: no storage class; add it, or give --default-storage-class',
  ])
  t.match((await count(bare, { defaultStorageClass: 'standaard' })).volumes, [{ storageClass: 'standaard' }])
  const named = web + claim('files', asked)
  t.match((await count(named, { defaultStorageClass: 'standaard' })).volumes, [{ storageClass: 'snel' }])
  t.match((await count(named, { storageClasses: { snel: 'fast' } })).volumes, [{ storageClass: 'fast' }])
})

t.test('a size that is none, and everything that is wrong at once', async (t) => {
  const wrong = web + claim('a', 'resources: {requests: {storage: big}}') + claim('b', 'storageClassName: x')
  t.same(await errorsOf(wrong), [
    'PersistentVolumeClaim/a: its size is big; a quantity such as 10Gi is needed',
    'PersistentVolumeClaim/a: no storage class; add it, or give --default-storage-class',
    'PersistentVolumeClaim/b: its size is not given; a quantity such as 10Gi is needed',
  ])
})

t.test('storage that is used and not made here, and raw devices, are noted', async (t) => {
  const pod = 'volumes: [{name: x, persistentVolumeClaim: {claimName: elsewhere}}, {name: y, emptyDir: {}}]'
  t.match((await count(workload('Deployment', 'web', { pod }))).notes, [
    /uses claim elsewhere, which is not in these manifests/,
  ])
  const here = workload('Deployment', 'web', { pod: pod.replace('elsewhere', 'files') }) + claim('files', asked)
  t.same((await count(here)).notes, [])
  t.match((await count(web + claim('disk', `volumeMode: Block, ${asked}`))).notes, [/raw block device/])
})
