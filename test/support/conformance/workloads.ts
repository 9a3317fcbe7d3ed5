/** From a Deployment to pods that are ready: owners, scale, a new version, a lost pod, and the end of all. */
import { deployment } from './manifests.ts'
import { conditionOf, eventually, type Part, untilBody, untilGone } from './world.ts'

export const workloads: Part = async (t, { api, space }) => {
  const { core, apps } = await space(t)
  const path = `${apps}/deployments/web`
  const pods = async () => (await api.get(`${core}/pods?labelSelector=app%3Dweb`)).body.items
  const live = async () => (await pods()).filter((one: any) => !one.metadata.deletionTimestamp)
  const ready = (count: number) =>
    untilBody(api, path, `${count} pods to be ready`, ({ metadata, spec, status }) => {
      const current = status.observedGeneration === metadata.generation && spec.replicas === count
      return current && (status.readyReplicas ?? 0) === count && (status.replicas ?? 0) === count
    })

  await t.test('its pods become ready, each with its owner', async (t) => {
    await api.need('POST', `${apps}/deployments`, deployment('web', 2))
    const { metadata, status } = await ready(2)
    t.match(status, { replicas: 2, updatedReplicas: 2, availableReplicas: 2 })
    t.match(conditionOf({ status }, 'Available'), { status: 'True', reason: 'MinimumReplicasAvailable' })
    const sets = (await api.get(`${apps}/replicasets?labelSelector=app%3Dweb`)).body.items
    t.equal(sets.length, 1)
    const [set] = sets
    t.match(set.metadata.ownerReferences, [{ kind: 'Deployment', name: 'web', uid: metadata.uid, controller: true }])
    t.match(set.metadata.name, /^web-/)
    for (const one of await pods()) {
      t.match(one.metadata.ownerReferences, [{ kind: 'ReplicaSet', uid: set.metadata.uid, controller: true }])
      t.ok(one.metadata.name.startsWith(`${set.metadata.name}-`))
      t.equal(one.metadata.labels['pod-template-hash'], set.metadata.labels['pod-template-hash'])
    }
  })

  await t.test('scale, by its own subresource', async (t) => {
    const { body } = await api.get(`${path}/scale`)
    t.match(body, { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 }, status: { replicas: 2 } })
    t.equal(body.status.selector, 'app=web')
    const put = await api.ask('PUT', `${path}/scale`, { body: { ...body, spec: { replicas: 3 } } })
    t.match(put, { status: 200, body: { kind: 'Scale', spec: { replicas: 3 } } })
    await ready(3)
    t.equal((await api.patch(`${path}/scale`, 'merge', { spec: { replicas: 1 } })).status, 200)
    await ready(1)
    await eventually('one pod', async () => (await pods()).length === 1)
  })

  await t.test('a pod that is lost is replaced', async (t) => {
    const [lost] = await pods()
    await api.need('DELETE', `${core}/pods/${lost.metadata.name}`)
    await eventually('another', async () => {
      const now = await live()
      return now.length === 1 && now[0].metadata.uid !== lost.metadata.uid
    })
    t.ok(await ready(1))
  })

  await t.test('a new template replaces the pods', async (t) => {
    const [before] = await live()
    await api.patch(path, 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'web', image: 'other' }] } } },
    })
    await eventually('the new one alone', async () => {
      const now = await pods()
      return now.length === 1 && now[0].spec.containers[0].image === 'other' && now[0].status.phase === 'Running'
    })
    t.not((await pods())[0].metadata.labels['pod-template-hash'], before.metadata.labels['pod-template-hash'])
    const { status } = await ready(1)
    t.equal(status.updatedReplicas, 1)
    const sets = (await api.get(`${apps}/replicasets?labelSelector=app%3Dweb`)).body.items
    t.strictSame(sets.map((one: any) => one.spec.replicas).sort(), [0, 1], 'the old one is kept for a way back')
  })

  await t.test('with a StatefulSet the pods have names that last', async (t) => {
    const { kind: _, ...rest } = deployment('data', 2)
    const set = { ...rest, kind: 'StatefulSet', spec: { ...rest.spec, serviceName: 'data' } }
    await api.need('POST', `${apps}/statefulsets`, set)
    await untilBody(api, `${apps}/statefulsets/data`, 'both', ({ status }) => status.readyReplicas === 2)
    const all = (await api.get(`${core}/pods?labelSelector=app%3Ddata`)).body.items
    t.strictSame(
      all.map((one: any) => one.metadata.name),
      ['data-0', 'data-1'],
    )
  })

  await t.test('its end is the end of all it owns', async (t) => {
    t.equal((await api.ask('DELETE', `${path}?propagationPolicy=Background`)).status, 200)
    await untilGone(api, path)
    await eventually('sets and pods to go', async () => {
      const sets = (await api.get(`${apps}/replicasets?labelSelector=app%3Dweb`)).body.items
      return sets.length === 0 && (await pods()).length === 0
    })
  })
}
