/** A shadow drill on two real clusters: what stands asleep is started apart, seen to be ready, and nothing of it is left. */
import t from 'tap'
import { deployment } from '../support/conformance/manifests.ts'
import { pathOf } from './mirror-objects.ts'
import { patience, setMirrorStage } from './mirror-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false
const shadow = '/api/v1/namespaces/zaak-drill'

t.test('held, passed, and gone; what runs is not touched', { skip }, async (t) => {
  const { host, consumer, loket } = await setMirrorStage(t)
  const { id, primary, standby, view } = await host('zaak', 4, { mode: 'cold' }, { data: [] })
  const at = pathOf('zaak')
  const within = (object: any) => ({ ...object, metadata: { ...object.metadata, namespace: 'zaak' } })
  await primary.apply(
    within({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'instellingen' }, data: { taal: 'nl' } }),
    within({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    }),
    within(deployment('web', 2)),
  )
  await until('its copy at the standby', patience, () => standby.read(`${at.deployment}/web`))
  await until('the mirror to lack nothing', patience, async () => {
    const { fallbackStatus, fallbackReasons } = await view()
    if (fallbackStatus === 'ready') return true
    throw new Error(`it is ${fallbackStatus}: ${fallbackReasons.join(', ')}`)
  })
  const before = await primary.read<any>(`${at.deployment}/web`)

  const drill = await consumer.post('drills', { hostingId: id, kind: 'shadow' })
  await until('its workload to be started apart', patience, () =>
    standby.read(`/apis/apps/v1/namespaces/zaak-drill/deployments/web`),
  )
  const namespace = await standby.read<any>(shadow)
  t.match(namespace.metadata.labels, { 'pod-security.kubernetes.io/enforce': 'restricted' })
  t.ok(await standby.read(`${shadow}/services/web`))
  const policies = await standby.read<any>('/apis/networking.k8s.io/v1/namespaces/zaak-drill/networkpolicies')
  t.ok(policies.items.length > 0, 'and it gets to nobody')
  t.ok(await standby.read(`${shadow}/configmaps/instellingen`))

  const state = async () => (await consumer.get(`drills/${drill.id}`)).body
  const over = await until('the drill to be over', patience, async () => {
    const now = await state()
    if (['passed', 'failed', 'aborted'].includes(now.state)) return now
    throw new Error(`it is ${now.state}: ${JSON.stringify(now.steps?.at(-1))}`)
  })
  t.match(over, { state: 'passed' }, JSON.stringify(over))
  t.equal(await standby.read(shadow), undefined, 'nothing of it is left')
  const after = await primary.read<any>(`${at.deployment}/web`)
  t.equal(after.metadata.uid, before.metadata.uid)
  t.equal(after.spec.replicas, 2)
  t.equal((await standby.read<any>(`${at.deployment}/web`)).spec.replicas, 0, 'it sleeps as it did')
  t.equal((await view()).fallbackStatus, 'ready')
  const report = await loket.get(`drills/${drill.id}/report`)
  t.equal(report.status, 200)
})

t.test('pods that do not come: the drill says why, as the cluster does', { skip }, async (t) => {
  const { host, consumer } = await setMirrorStage(t)
  const { id, primary, standby } = await host('klem', 4, { mode: 'cold', rtoSeconds: 20 }, { data: [] })
  const at = pathOf('klem')
  const apply = (object: any) => primary.apply({ ...object, metadata: { ...object.metadata, namespace: 'klem' } })
  const nowhere: any = deployment('nergens', 1)
  nowhere.spec.template.spec.nodeSelector = { kamer: 'die-er-niet-is' }
  await apply(nowhere)
  await apply(deployment('teveel', 1, { cpu: '90', memory: '64Mi' }))
  for (const name of ['nergens', 'teveel'])
    await until('its copy at the standby', patience, () => standby.read(`${at.deployment}/${name}`))
  const { body: begun } = await until('a drill to be begun', patience, async () => {
    const made = await consumer.post('drills', { hostingId: id, kind: 'shadow' })
    return made.id ? { body: made } : undefined
  })
  const over = await until('the drill to be over', patience, async () => {
    const now = (await consumer.get(`drills/${begun.id}`)).body
    return ['passed', 'failed', 'aborted'].includes(now.state) ? now : undefined
  })
  const said = over.findings.find(({ code }: any) => code === 'not-ready')?.en ?? JSON.stringify(over)
  t.match(said, /pod nergens-\S+: Unschedulable: 0\/\d+ nodes are available/)
  t.match(said, /Deployment teveel: FailedCreate: pods .* exceeded quota/)
  t.equal(over.steps.find(({ name }: any) => name === 'ready').note, said, 'in the step too')
  t.equal(await standby.read('/api/v1/namespaces/klem-drill'), undefined)
})
