/** What keeps a namespace within its bounds: quota, default requests, Pod Security. */
import { claim, configMap, container, deployment, pod, podSpec, quota } from './manifests.ts'
import { conditionOf, eventually, type Part, untilBody, untilGone } from './world.ts'

export const quotas: Part = async (t, { api, space }) => {
  const { core, apps } = await space(t)
  const path = `${core}/resourcequotas/quota`
  const used = async () => (await api.get(path)).body.status?.used ?? {}
  const hard = {
    'requests.cpu': '1',
    'requests.memory': '1Gi',
    pods: '3',
    persistentvolumeclaims: '2',
    'requests.storage': '10Gi',
    'snel.storageclass.storage.k8s.io/requests.storage': '5Gi',
    'services.loadbalancers': '0',
    'services.nodeports': '0',
  }

  await t.test('what is used begins at nothing', async (t) => {
    await api.need('POST', `${core}/resourcequotas`, quota(hard))
    const { status } = await untilBody(api, path, 'the use', ({ status }) => status?.used !== undefined)
    t.strictSame(status.hard, hard)
    t.strictSame(status.used, Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])))
  })

  await t.test('within it, pods are let in and counted', async (t) => {
    t.equal((await api.post(`${core}/pods`, pod('half', { cpu: '500m', memory: '256Mi' }))).status, 201)
    t.match(await used(), { 'requests.cpu': '500m', 'requests.memory': '256Mi', pods: '1' })
  })

  await t.test('over it they are refused, with the figures', async (t) => {
    const { status, body } = await api.post(`${core}/pods`, pod('large', { cpu: '600m', memory: '64Mi' }))
    t.equal(status, 403)
    t.match(body, { reason: 'Forbidden', details: { name: 'large', kind: 'pods' } })
    const words =
      'exceeded quota: quota, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1'
    t.equal(body.message, `pods "large" is forbidden: ${words}`)
    t.equal((await api.get(`${core}/pods/large`)).status, 404)
    const both = await api.post(`${core}/pods`, pod('larger', { cpu: '2', memory: '2Gi' }))
    t.match(
      both.body.message,
      /requested: requests.cpu=2,requests.memory=2Gi, used: requests.cpu=500m,requests.memory=256Mi/,
    )
    const dry = await api.post(`${core}/pods?dryRun=All`, pod('large', { cpu: '600m', memory: '64Mi' }))
    t.equal(dry.status, 403, 'a dry run is told so too')
  })

  await t.test('who does not say what it needs is refused', async (t) => {
    const bare = { ...pod('bare'), spec: podSpec(undefined) }
    const { status, body } = await api.post(`${core}/pods`, bare)
    t.equal(status, 403)
    t.match(body.message, /failed quota: quota: must specify requests\.cpu for: web; requests\.memory for: web/)
  })

  await t.test('volumes, by class and together, and services', async (t) => {
    t.equal((await api.post(`${core}/persistentvolumeclaims`, claim('a', '4Gi', 'snel'))).status, 201)
    const over = await api.post(`${core}/persistentvolumeclaims`, claim('b', '2Gi', 'snel'))
    t.match(over, {
      status: 403,
      body: { message: /exceeded quota.*snel\.storageclass\.storage\.k8s\.io\/requests\.storage=2Gi/ },
    })
    t.match(await used(), { persistentvolumeclaims: '1', 'requests.storage': '4Gi' })
    const service = (name: string, type: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type, selector: { app: name }, ports: [{ port: 80 }] },
    })
    t.equal((await api.post(`${core}/services`, service('inner', 'ClusterIP'))).status, 201)
    for (const type of ['LoadBalancer', 'NodePort']) {
      const refused = await api.post(`${core}/services`, service('outer', type))
      t.match(refused, { status: 403, body: { message: /exceeded quota: quota/ } }, type)
    }
  })

  await t.test('what goes is given back', async (t) => {
    await api.need('DELETE', `${core}/pods/half`)
    await untilGone(api, `${core}/pods/half`)
    await eventually(
      'the use to fall',
      async () => (await used()).pods === '0' && (await used())['requests.cpu'] === '0',
    )
    t.equal((await api.post(`${core}/pods`, pod('large', { cpu: '600m', memory: '64Mi' }))).status, 201)
  })

  await t.test('a workload gets no more pods than fit, and says why', async (t) => {
    await api.need('POST', `${apps}/deployments`, deployment('many', 9, { cpu: '100m', memory: '64Mi' }))
    const stuck = await untilBody(api, `${apps}/deployments/many`, 'the refusal to show', (body) =>
      Boolean(conditionOf(body, 'ReplicaFailure') && body.status.readyReplicas === 2),
    )
    t.match(conditionOf(stuck, 'ReplicaFailure'), { status: 'True', message: /exceeded quota/ })
    t.equal((await used()).pods, '3')
  })

  await t.test('it gets another once the quota lets it in', async () => {
    await api.patch(path, 'merge', { spec: { hard: { pods: '4' } } })
    await untilBody(api, `${apps}/deployments/many`, 'the third', ({ status }) => status.readyReplicas === 3)
  })

  await t.test('objects of any kind are counted by name and group', async (t) => {
    const counts = { 'count/configmaps': '3', 'count/deployments.apps': '1', 'count/jobs.batch': '0' }
    await api.need('POST', `${core}/resourcequotas`, { ...quota(counts), metadata: { name: 'counts' } })
    const path = `${core}/resourcequotas/counts`
    const { status } = await untilBody(api, path, 'the use', (body) => body.status?.used?.['count/jobs.batch'] === '0')
    t.match(status.used, { 'count/deployments.apps': '1' })
    const more = await api.post(`${apps}/deployments`, deployment('more', 1, { cpu: '1m', memory: '1Mi' }))
    t.equal(more.status, 403)
    const words =
      'requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1'
    t.match(more.body.message, `deployments.apps "more" is forbidden: exceeded quota: counts, ${words}`)
    t.match(more.body.details, { name: 'more', kind: 'deployments' })
    await api.need('DELETE', path)
    await untilGone(api, path)
  })

  await t.test('a changed quota holds from then on', async (t) => {
    await api.patch(path, 'merge', { spec: { hard: { pods: '1' } } })
    await untilBody(api, path, 'the new bound', ({ status }) => status.hard.pods === '1')
    t.equal((await used()).pods, '4', 'nobody is put out')
    const { body } = await api.post(`${core}/pods`, pod('more', { cpu: '1m', memory: '1Mi' }))
    t.match(body.message, /requested: pods=1, used: pods=4, limited: pods=1/)
  })
}

export const defaults: Part = async (t, { api, space }) => {
  const { core } = await space(t)
  const range = (item: object) => ({
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'range' },
    spec: { limits: [{ type: 'Container', ...item }] },
  })
  const made = async (name: string, resources?: object) => {
    const spec = { ...podSpec(), containers: [{ ...container(), ...(resources && { resources }) }] }
    return api.post(`${core}/pods`, { ...pod(name), spec })
  }

  await t.test('requests are filled in where there are none', async (t) => {
    await api.need('POST', `${core}/limitranges`, range({ defaultRequest: { cpu: '50m', memory: '64Mi' } }))
    const stands = await untilBody(api, `${core}/limitranges/range`, 'the range', () => true)
    t.same(stands.spec.limits, [{ type: 'Container', defaultRequest: { cpu: '50m', memory: '64Mi' } }])
    // The server's admission follows the range by a watch of its own.
    await eventually('the range to be used', async () => {
      const probe = await api.post(`${core}/pods?dryRun=All`, { ...pod('probe'), spec: podSpec() })
      return probe.body.spec?.containers[0].resources?.requests !== undefined
    })
    const resourcesOf = async (name: string, resources?: object) =>
      (await made(name, resources)).body.spec.containers[0].resources
    t.same(await resourcesOf('none'), { requests: { cpu: '50m', memory: '64Mi' } })
    t.same(await resourcesOf('some', { requests: { cpu: '200m' } }), { requests: { cpu: '200m', memory: '64Mi' } })
    const limited = { limits: { cpu: '1' } }
    t.same(await resourcesOf('limited', limited), { ...limited, requests: { cpu: '1', memory: '64Mi' } })
  })

  await t.test('limits too, and the most that one may have', async (t) => {
    const item = { default: { cpu: '200m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } }
    await api.need('PUT', `${core}/limitranges/range`, range(item))
    await eventually(
      'the new range to be used',
      async () => (await made('probe', { limits: { cpu: '2' } })).status === 403,
    )
    const { body } = await made('both')
    t.same(body.spec.containers[0].resources, { limits: { cpu: '200m' }, requests: { cpu: '100m' } })
    const refused = await made('over', { limits: { cpu: '2' }, requests: { cpu: '1' } })
    t.match(refused, { status: 403, body: { message: /maximum cpu usage per Container is 1, but limit is 2/ } })
  })
}

export const podSecurity: Part = async (t, { api, space }) => {
  const { core } = await space(t, {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/enforce-version': 'v1.30',
  })
  const spec = podSpec({ cpu: '10m', memory: '16Mi' })
  const refused = async (changes: object) => {
    const { status, body } = await api.post(`${core}/pods`, { ...pod('refused'), spec: { ...spec, ...changes } })
    return { status, reason: body.reason, message: body.message }
  }
  const forbidden = (message: RegExp) => ({ status: 403, reason: 'Forbidden', message })

  await t.test('what is restricted is let in', async (t) => {
    t.equal((await api.post(`${core}/pods`, { ...pod('fine'), spec })).status, 201)
    t.equal((await api.post(`${core}/configmaps`, configMap('any'))).status, 201)
  })

  await t.test('what is not is refused, with all that is wrong', async (t) => {
    const plain = await refused({ securityContext: {}, containers: [{ name: 'web', image: 'none' }] })
    t.match(plain, forbidden(/^pods "refused" is forbidden: violates PodSecurity "restricted:v1\.30": /))
    for (const words of [
      'allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"])',
      'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]) {
      t.match(plain.message, words)
    }
    t.match(await refused({ hostNetwork: true }), forbidden(/host namespaces \(hostNetwork=true\)/))
    t.match(
      await refused({ volumes: [{ name: 'root', hostPath: { path: '/' } }] }),
      forbidden(/restricted volume types/),
    )
    const [web] = spec.containers
    const able = { ...web?.securityContext, capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }
    t.match(await refused({ containers: [{ ...web, securityContext: able }] }), forbidden(/unrestricted capabilities/))
    t.match(await refused({ initContainers: [{ name: 'first', image: 'none' }] }), forbidden(/container "first"/))
    const root = { ...spec.securityContext, runAsUser: 0 }
    t.match(await refused({ securityContext: root }), forbidden(/runAsUser=0/))
  })
}
