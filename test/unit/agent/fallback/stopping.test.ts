/** *Stopped* is said when nothing can run any longer, whatever stands in the way; a gate that is opened is shut again. */
import t from 'tap'
import { putToRest, wake } from '../../../../services/agent/fallback/workloads.ts'
import type { FromSite } from '../../../../services/fallback/index.ts'
import { KubernetesError } from '../../../../services/shared/kubernetes/index.ts'
import { epoch, type ScriptedDesk } from '../../../support/scripted-desk.ts'
import { createTown, memoryRecord, startAgent } from '../../../support/town.ts'
import { until } from '../../../support/until.ts'

const isHeld = ({ said }: ScriptedDesk) =>
  said.some((message) => message.kind === 'renew' && message.holds.some((h) => h.active))
const hasStopped = ({ said }: ScriptedDesk) => said.some(({ kind }: FromSite) => kind === 'stopped')

async function running(t: Parameters<typeof createTown>[0], activity: 'exclusive' | 'pinned' = 'exclusive') {
  const town = await createTown(t)
  await town.settle('h_1', 'zaken')
  const store = memoryRecord()
  const agent = await startAgent(t, town, store)
  const desk = agent.meet()
  desk.grant('h_1', 1, activity)
  const space = () => town.cluster.store.get('Namespace', undefined, 'zaken')
  await until(() => space()?.metadata.annotations?.['gemeentecloud.nl/active-epoch'] === '1.1', 'it to run')
  await until(() => isHeld(desk), 'it to be held')
  return { town, store, agent, desk }
}

const ask = (desk: ScriptedDesk) => desk.say({ kind: 'ask-stopped', hosting: 'h_1', epoch: epoch(1) })

t.test('a pod whose node does not say that it ended is waited for', async (t) => {
  const { town, desk } = await running(t)
  // A finalizer keeps the object, as the silence of a kubelet does.
  const [pod] = town.cluster.store.list('Pod', 'zaken')
  const ref = { apiVersion: 'v1', kind: 'Pod', name: pod?.metadata.name ?? '', namespace: 'zaken' }
  await town.client.patch(ref, { metadata: { finalizers: ['test/silence'] } }, { fieldManager: 'test' })
  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  await until(() => town.pods('zaken') === 0, 'its pods to be told to end')
  const renewals = () => desk.said.filter(({ kind }) => kind === 'renew').length
  const before = renewals()
  await until(() => {
    ask(desk)
    return renewals() > before + 4
  }, 'some renewals to pass')
  t.notOk(hasStopped(desk), 'not while it may run')
  await town.client.patch(ref, { metadata: { finalizers: null } }, { fieldManager: 'test' })
  await until(() => {
    ask(desk)
    return hasStopped(desk)
  }, 'it to be said')
  t.equal(town.cluster.store.list('Pod', 'zaken').length, 0)
})

t.test('what a cluster that refuses lets stand is not said to have stopped', async (t) => {
  const { town, desk } = await running(t)
  town.cluster.setFault({ kind: 'refuse' })
  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  const renewals = () => desk.said.filter(({ kind }) => kind === 'renew').length
  const before = renewals()
  await until(() => {
    ask(desk)
    return renewals() > before + 4
  }, 'some renewals to pass')
  t.notOk(hasStopped(desk))
  t.equal(town.pods('zaken'), 2)
  town.cluster.setFault(undefined)
  await until(() => town.pods('zaken') === 0, 'it to be stopped')
  await until(() => {
    ask(desk)
    return hasStopped(desk)
  }, 'it to be said')
})

t.test('a gate that somebody opens, and what they scale up, is shut again', async (t) => {
  const { town, desk } = await running(t)
  desk.granted.clear()
  desk.say({ kind: 'deactivate', hosting: 'h_1', epoch: epoch(1) })
  await until(() => town.pods('zaken') === 0 && town.replicas('zaken') === 0, 'it to be stopped')
  const gate = { apiVersion: 'v1', kind: 'ResourceQuota', name: 'gemeentecloud-gate', namespace: 'zaken' }
  await until(() => town.cluster.store.get('ResourceQuota', 'zaken', gate.name) !== undefined, 'the gate to stand')
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'zaken' }
  await town.client.patch(deployment, { spec: { replicas: 3 } }, { fieldManager: 'test' })
  await town.client.remove(gate)
  await until(() => town.replicas('zaken') === 0 && town.pods('zaken') === 0, 'it to be stopped again')
  const web = town.cluster.store.get('Deployment', 'zaken', 'web')
  t.equal(web?.metadata.annotations?.['gemeentecloud.nl/replicas'], '3')
})

t.test('what its controllers write meanwhile keeps nothing from being scaled down, or given back', async (t) => {
  const { town } = await running(t)
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'zaken' }
  let written = 0
  const busy: typeof town.client = {
    ...town.client,
    async patch(ref, change, options) {
      if (ref.kind === 'Deployment' && written++ % 3 < 2)
        await town.client.patch(deployment, { metadata: { annotations: { 'test/seen': `${written}` } } }, options)
      return town.client.patch(ref, change, options)
    },
  }
  const before = town.replicas('zaken')
  await putToRest(busy, { name: 'zaken', isEnding: false }, 1)
  t.equal(town.replicas('zaken'), 0)
  t.ok(await wake(busy, 'zaken', '1.2', () => true))
  t.equal(town.replicas('zaken'), before)
  t.equal(written, 6, 'twice in vain, each time')
})

t.test('nor is it said to be done while they write without an end', async (t) => {
  const { town } = await running(t)
  const patch: typeof town.client.patch = async (ref, change, options) => {
    if (ref.kind === 'Deployment') throw new KubernetesError(409, 'Conflict', 'changed')
    return town.client.patch(ref, change, options)
  }
  await t.rejects(putToRest({ ...town.client, patch }, { name: 'zaken', isEnding: false }, 1), /Deployment/)
})
