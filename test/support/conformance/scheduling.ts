/** Nodes and pods: a pod that fits is bound, runs and is ready; one that does not waits and says why. */
import { pod, podSpec } from './manifests.ts'
import { conditionOf, type Part, untilBody } from './world.ts'

export const scheduling: Part = async (t, { api, space }) => {
  const { core } = await space(t)
  const { items: nodes } = await api.need('GET', '/api/v1/nodes')
  const [first] = nodes
  const named = nodes.map((node: any) => node.metadata.name)
  const zoneLabel = 'topology.kubernetes.io/zone'
  const running = (name: string) =>
    untilBody(api, `${core}/pods/${name}`, `${name} to run`, (body) => conditionOf(body, 'Ready')?.status === 'True')
  const place = (name: string, spec: object) =>
    api.need('POST', `${core}/pods`, { ...pod(name), spec: { ...podSpec(), ...spec } })

  await t.test('nodes say what they have', async (t) => {
    t.ok(nodes.length >= 2)
    for (const node of nodes) {
      t.match(node.status.allocatable, { cpu: /^\d+m?$/, memory: /^\d+/, pods: /^\d+$/ })
      t.match(conditionOf(node, 'Ready'), { status: 'True' })
      t.match(node.metadata.labels, { [zoneLabel]: String, 'kubernetes.io/hostname': node.metadata.name })
    }
  })

  await t.test('a pod is bound, runs and is ready', async (t) => {
    const made = await api.need('POST', `${core}/pods`, pod('runs'))
    t.match(made, { status: { phase: 'Pending' }, spec: { restartPolicy: 'Always', serviceAccountName: 'default' } })
    const { spec, status } = await running('runs')
    t.ok(named.includes(spec.nodeName))
    t.match(status, { phase: 'Running', podIP: /^\d+\./, startTime: /Z$/ })
    t.match(conditionOf({ status }, 'PodScheduled'), { status: 'True' })
    t.match(conditionOf({ status }, 'ContainersReady'), { status: 'True' })
    t.match(status.containerStatuses, [{ name: 'web', ready: true, restartCount: 0, state: { running: {} } }])
  })

  await t.test('one that fits nowhere waits', async (t) => {
    await api.need('POST', `${core}/pods`, pod('large', { cpu: '1000' }))
    const waiting = await untilBody(api, `${core}/pods/large`, 'the reason', (body) =>
      conditionOf(body, 'PodScheduled'),
    )
    t.equal(waiting.status.phase, 'Pending')
    t.notOk(waiting.spec.nodeName)
    const words = new RegExp(`^0/${nodes.length} nodes are available`)
    t.match(conditionOf(waiting, 'PodScheduled'), { status: 'False', reason: 'Unschedulable', message: words })
  })

  await t.test('it goes where it asks to go', async (t) => {
    const zone = first.metadata.labels[zoneLabel]
    await place('zoned', { nodeSelector: { [zoneLabel]: zone } })
    const { spec } = await running('zoned')
    t.equal(nodes.find((node: any) => node.metadata.name === spec.nodeName).metadata.labels[zoneLabel], zone)
    await place('bound', { nodeName: first.metadata.name })
    t.equal((await running('bound')).spec.nodeName, first.metadata.name)
  })

  await t.test('a node that is taken out takes no more, and again when it is back', async (t) => {
    const path = `/api/v1/nodes/${first.metadata.name}`
    await api.patch(path, 'strategic', { spec: { unschedulable: true } })
    t.teardown(() => api.patch(path, 'strategic', { spec: { unschedulable: null } }))
    await untilBody(api, path, 'the taint', ({ spec }) =>
      spec.taints?.some(({ key }: any) => key === 'node.kubernetes.io/unschedulable'),
    )
    await place('patient', { nodeSelector: { 'kubernetes.io/hostname': first.metadata.name } })
    await untilBody(
      api,
      `${core}/pods/patient`,
      'the reason',
      (body) => conditionOf(body, 'PodScheduled')?.status === 'False',
    )
    await api.patch(path, 'strategic', { spec: { unschedulable: null } })
    t.equal((await running('patient')).spec.nodeName, first.metadata.name)
  })
}
