/** A StatefulSet with claims of its own, on two real clusters with agents: nothing of it starts before its data is back. */
import t, { type Test } from 'tap'
import { restoreName } from '../../services/broker/mirror/core/velero.ts'
import { podSpec } from '../support/conformance/manifests.ts'
import { operators, tenantMay } from './data-kinds.ts'
import { type Watching, watch } from './gateway-stage.ts'
import { deployment, pathOf } from './mirror-objects.ts'
import { type Mirrored, type MirrorStage, patience, setMirrorStage } from './mirror-stage.ts'
import { grantVelero } from './owner.ts'
import { copiesAt, playVolumes, says } from './played-operators.ts'
import type { Cluster } from './start.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

interface Story extends MirrorStage {
  readonly register: Mirrored
  readonly archive: Mirrored
}

type Chapter = (t: Test, story: Story) => Promise<void>

const waits = 'gemeentecloud.nl/waits-for-data'
const template = (claims: object[] = []) => ({
  metadata: { labels: { app: 'db' } },
  spec: { ...podSpec({ cpu: '50m', memory: '64Mi' }), ...(claims.length > 0 && { volumes: claims }) },
})
const size = { storageClassName: 'snel', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }

/** Its claims are `data-db-0` and further. */
const statefulSet = (namespace: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace },
  spec: {
    serviceName: 'db',
    replicas,
    selector: { matchLabels: { app: 'db' } },
    template: template(),
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: size }],
  },
})

const setOf = (cluster: Cluster, namespace: string) => cluster.read<any>(`${pathOf(namespace).statefulSet}/db`)
const claimsIn = async (cluster: Cluster, namespace: string): Promise<any[]> =>
  (await cluster.read<any>(pathOf(namespace).claim)).items
const readyOf = async (cluster: Cluster, path: string) => (await cluster.read<any>(path))?.status?.readyReplicas ?? 0
const ready = (cluster: Cluster, path: string, replicas: number) =>
  until(`${path} to run`, patience, async () => (await readyOf(cluster, path)) === replicas || undefined)
const runsAt = (cluster: Cluster, namespace: string, replicas: number) =>
  ready(cluster, `${pathOf(namespace).statefulSet}/db`, replicas)

/** Everything that is made there from now on, however short it stands. */
function watchMade(t: Test, cluster: Cluster, namespace: string) {
  const [, token = ''] = /"?token"?: "?([\w-]+)/.exec(cluster.kubeconfig) ?? []
  const follow = (plural: string) =>
    watch({ url: cluster.server, ca: cluster.ca, token }, `/api/v1/namespaces/${namespace}/${plural}?watch=true`)
  const followed = { claims: follow('persistentvolumeclaims'), pods: follow('pods') }
  for (const one of Object.values(followed)) t.teardown(() => one.stop())
  const made = ({ events }: Watching): any[] =>
    events.filter(({ type }) => type !== 'MODIFIED').map(({ object }) => object)
  return {
    claims: () => made(followed.claims),
    /** Of the StatefulSet. */
    pods: () => made(followed.pods).filter(({ metadata }) => metadata.name.startsWith('db-')),
  }
}

const versionOf = ({ metadata }: any) => BigInt(metadata.resourceVersion)

const operation = async ({ loket }: Story, id: string) => (await loket.get(`operations/${id}`)).body
const stepsOf = ({ steps }: any): string[] => steps.map(({ name }: any) => name)

/** Its id, once its new site says that it runs the hosting. */
async function sendOver(story: Story, { id }: Mirrored, kind: 'failover' | 'failback'): Promise<string> {
  await until('it to have somewhere to go', patience, async () => {
    const placements = (await story.consumer.get(`hostings/${id}`)).body.placements
    return placements.some(({ role, mirror }: any) => role === 'standby' && mirror?.syncedAt) || undefined
  })
  const made = await story.consumer.post(`hostings/${id}/failovers`, { kind, reason: 'oefening' })
  await story.loket.post(`operations/${made.id}/confirmations`, { kind: 'agreed', statement: 'afgesproken' })
  await until('its new site to run it', patience, async () => {
    const now = await operation(story, made.id)
    if (stepsOf(now).includes('scaled-up')) return true
    throw new Error(`it is ${now.state} after ${stepsOf(now)}: ${now.outcome}`)
  })
  return made.id
}

const done = (story: Story, id: string) =>
  until('it to be done', patience, async () => {
    const now = await operation(story, id)
    if (now.state === 'done') return now
    throw new Error(`it is ${now.state} after ${stepsOf(now)}: ${now.outcome}`)
  })
const needsPerson = (story: Story, id: string) =>
  until('it to need a person', patience, async () => {
    const now = await operation(story, id)
    return now.state === 'needs-person' ? now : undefined
  })

/** Of the mover of VolSync, that the claims are filled. */
async function filled(cluster: Cluster, order: string): Promise<void> {
  const image = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'image' }
  const status = { lastManualSync: order, latestImage: image }
  for (const ordinal of [0, 1]) {
    const name = `gemeentecloud-data-db-${ordinal}`
    const path = `/apis/volsync.backube/v1alpha1/namespaces/register/replicationdestinations/${name}`
    await until(`${name} to be ordered`, patience, async () => {
      const found = await cluster.read<any>(path)
      return found?.spec.trigger.manual === order || undefined
    })
    await says(cluster, 'replicationdestinations', name, status, 'register')
  }
}

/** At rest on its standby: neither a pod nor a claim. */
async function sleeps(t: Test, { primary, standby, name }: Mirrored, replicas: number): Promise<void> {
  await primary.apply(statefulSet(name, replicas), deployment(name, 'web', 1))
  await runsAt(primary, name, replicas)
  const copy = await until('its copy', patience, () => setOf(standby, name))
  const annotations = { [waits]: String(replicas), 'gemeentecloud.nl/replicas': '0' }
  t.match(copy, { spec: { replicas: 0 }, metadata: { annotations } })
  const path = `${pathOf(name).deployment}/web`
  const web = await until('the copy of what has no data', patience, () => standby.read<any>(path))
  t.match(web.metadata.annotations, { 'gemeentecloud.nl/replicas': '1' })
  t.equal(web.metadata.annotations[waits], undefined)
  t.equal((await claimsIn(primary, name)).length, replicas)
  t.same(await claimsIn(standby, name), [], 'no empty claim')
}

/** What each claim is like, for when where it stands is lost. */
async function noted(cluster: Cluster): Promise<void> {
  for (const ordinal of [0, 1])
    await until(`what claim ${ordinal} is like`, patience, () =>
      cluster.read(`${pathOf('register').configMap}/gemeentecloud-volsync-data-db-${ordinal}`),
    )
}

const goesOver: Chapter = async (t, story) => {
  const { register } = story
  const { primary, standby, name } = register
  await sleeps(t, register, 2)
  await noted(standby)
  const made = watchMade(t, standby, name)
  const id = await sendOver(story, register, 'failover')
  await ready(standby, `${pathOf(name).deployment}/web`, 1)
  const space = await standby.read<any>(`/api/v1/namespaces/${name}`)
  t.match(space.metadata.annotations, { 'gemeentecloud.nl/active-epoch': String }, 'its agent has woken it')
  t.match(await setOf(standby, name), { spec: { replicas: 0 } }, 'but what waits')

  await story.restart()
  await until(
    'the wait to be told',
    patience,
    async () => (await operation(story, id)).state === 'running' || undefined,
  )
  t.same([...made.claims(), ...made.pods()], [], 'nothing of it was there at any time')
  await filled(standby, id)
  const { steps } = await done(story, id)
  t.ok(stepsOf({ steps }).indexOf('data-promoted') < stepsOf({ steps }).indexOf('healthy'))
  t.equal(await readyOf(standby, `${pathOf(name).statefulSet}/db`), 2)
  t.same((await setOf(standby, name)).metadata.annotations[waits], undefined)
  const claims = made.claims()
  t.equal(claims.length, 2, 'each claim was made once')
  for (const { metadata, spec } of claims) {
    t.equal(metadata.annotations['gemeentecloud.nl/filled-for'], id)
    t.equal(metadata.labels.app, 'db', 'as the StatefulSet would have made it')
    t.match(spec.dataSourceRef, { kind: 'ReplicationDestination', name: `gemeentecloud-${metadata.name}` })
  }
  t.equal(made.pods().length, 2)
  const first = made.pods().map(versionOf).sort()[0] ?? 0n
  t.ok(
    claims.every((claim) => versionOf(claim) < first),
    'no pod before all of them',
  )
  t.equal((await claimsIn(primary, name)).length, 2, 'and what it left stands as it was')
  await noted(primary)
}

const comesBack: Chapter = async (t, story) => {
  const { register } = story
  const { primary: home, name } = register
  const left = await claimsIn(home, name)
  await until('what it left to wait too', patience, async () => {
    const { annotations } = (await setOf(home, name)).metadata
    return (annotations[waits] === '2' && annotations['gemeentecloud.nl/replicas'] === '0') || undefined
  })
  const made = watchMade(t, home, name)
  const id = await sendOver(story, register, 'failback')
  await ready(home, `${pathOf(name).deployment}/web`, 1)
  t.match(await needsPerson(story, id), { outcome: /data-db-\d stands here from before and may hold older data/ })
  t.same(made.pods(), [], 'it is not started on what is older')
  const uids = (claims: any[]) => claims.map(({ metadata }) => metadata.uid)
  t.same(uids(await claimsIn(home, name)), uids(left), 'which nobody overwrites')
  t.match(await setOf(home, name), { spec: { replicas: 0 } })

  await home.kubectl('-n', name, 'delete', 'pvc', '--all')
  await filled(home, id)
  await done(story, id)
  t.equal(await readyOf(home, `${pathOf(name).statefulSet}/db`), 2)
  for (const { metadata } of await claimsIn(home, name))
    t.equal(metadata.annotations['gemeentecloud.nl/filled-for'], id)
}

const undeclared: Chapter = async (t, { register: { id, standby, name }, kit }) => {
  await until('it to wait at the standby', patience, async () => {
    const { metadata } = await setOf(standby, name)
    return (
      (metadata.annotations[waits] === '2' && metadata.annotations['gemeentecloud.nl/replicas'] === '0') || undefined
    )
  })
  await kit.database.transaction(async (sql) => {
    await sql.query(`update hostings set spec = spec || '{"data": []}' where id = $1`, [id])
    sql.hint('placements')
  })
  const { metadata } = await until('the mark to be taken away', patience, async () => {
    const found = await setOf(standby, name)
    return found.metadata.annotations[waits] === undefined ? found : undefined
  })
  t.equal(metadata.annotations['gemeentecloud.nl/replicas'], '2')
}

const broughtByVelero: Chapter = async (t, story) => {
  const { archive } = story
  const { standby, name } = archive
  await sleeps(t, archive, 1)
  await copiesAt(standby, archive.id, { '2026-11-01T10:00:00Z': 'Completed' })
  const made = watchMade(t, standby, name)
  const id = await sendOver(story, archive, 'failover')
  await ready(standby, `${pathOf(name).deployment}/web`, 1)
  const restore = restoreName(id)
  await until('the restore', patience, () => standby.read(`/apis/velero.io/v1/namespaces/velero/restores/${restore}`))
  t.match(await setOf(standby, name), { spec: { replicas: 0 } })
  t.same([...made.claims(), ...made.pods()], [], 'nothing of it was there at any time')

  const metadata = { name: 'data-db-0', namespace: name, labels: { app: 'db', 'velero.io/restore-name': restore } }
  await standby.apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: size })
  await says(standby, 'restores', restore, { phase: 'InProgress' }, 'velero')
  t.match(await setOf(standby, name), { spec: { replicas: 0 } }, 'a claim is not yet what is in it')
  await says(standby, 'restores', restore, { phase: 'Completed' }, 'velero')
  await done(story, id)
  t.equal(await readyOf(standby, `${pathOf(name).statefulSet}/db`), 1)
  t.equal(made.claims().length, 1, 'the StatefulSet has made none')
  t.ok(made.pods().every((pod) => versionOf(pod) > versionOf(made.claims()[0])))
}

const givenUp: Chapter = async (t, story) => {
  const { archive } = story
  const { primary: home, name, view } = archive
  const [left] = await claimsIn(home, name)
  const id = await sendOver(story, archive, 'failback')
  t.match(await needsPerson(story, id), { outcome: /data-db-0 stands here from before/ })
  await story.loket.post(`operations/${id}/aborts`, { reason: 'verder met wat er staat' })
  await until('it to be told that it waits in vain', patience, async () => {
    const told = (await view()).placements.flatMap(({ mirror }: any) => mirror?.data ?? [])
    return told.some(({ problem }: any) => /StatefulSet db at .* scale it up by hand/.test(problem ?? '')) || undefined
  })
  t.match(await setOf(home, name), { spec: { replicas: 0 } }, 'nothing starts by itself')
  await home.kubectl('-n', name, 'scale', 'statefulset', 'db', '--replicas=1')
  await runsAt(home, name, 1)
  t.equal((await claimsIn(home, name))[0].metadata.uid, left.metadata.uid, 'on what stands there')
}

const chapters: Readonly<Record<string, Chapter>> = {
  'VolSync: it sleeps until each of its claims is back, and then runs on them': goesOver,
  'VolSync: back where it ran, what is older is neither started nor overwritten': comesBack,
  'what is declared no more is not waited for': undeclared,
  'Velero: it sleeps until the restore is done': broughtByVelero,
  'Velero: a person gives up on the copy, and starts it by hand': givenUp,
}

t.test('StatefulSets with claims of their own', { skip }, async (t) => {
  const stage = await setMirrorStage(t, { takePart: true })
  for (const site of ['amersfoort', 'breda'] as const) {
    await stage.at(site).apply(...operators)
    await grantVelero(stage.at(site), 'broker')
    playVolumes(t, stage.at(site), ['register', 'archief'])
  }
  const data = [0, 1].map((ordinal) => ({
    kind: 'volsync',
    name: `data-db-${ordinal}`,
    repository: `restic-${ordinal}`,
  }))
  const register = await stage.host('register', 4, { mode: 'cold' }, { data })
  for (const { primary, standby } of [register])
    for (const cluster of [primary, standby]) await cluster.apply(tenantMay(register.name, stage.consumer.id))
  const archive = await stage.host('archief', 4, { mode: 'cold' }, { data: [{ kind: 'velero', name: 'gedeeld' }] })
  for (const [name, chapter] of Object.entries(chapters)) {
    if (t.passing()) await t.test(name, (t) => chapter(t, { ...stage, register, archive }))
  }
})
