/** One hosting from request to end on real clusters: what stands there, what the API server refuses, what is repaired. */
import t, { type Test } from 'tap'
import { objectCounts } from '../../services/broker/clusters/core/tenant.ts'
import { pod } from '../support/conformance/manifests.ts'
import { grantActing, grantRights, ownersThings, runOwnThings, standingIn } from './owner.ts'
import { type Name, names, type Stage, setStage } from './stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

const space = '/api/v1/namespaces/open-zaak'
const quotaPath = `${space}/resourcequotas/gemeentecloud`
const policyPath = '/apis/networking.k8s.io/v1/namespaces/open-zaak/networkpolicies/gemeentecloud-default-deny'
/** What does not come within this does not come. */
const patience = 90_000

/** What one chapter tells the next. */
interface Story extends Stage {
  readonly owners: Map<Name, object>
  /** As the consumer last saw it. */
  hosting: any
  primary: Name
  standby: Name
}

type Chapter = (t: Test, story: Story) => Promise<void>

const ownersAreThere: Chapter = async (_t, { at }) => {
  for (const name of names) {
    await runOwnThings(at(name))
    await grantRights(at(name), 'broker')
    await grantActing(at(name), 'broker')
  }
}

const rightsAreAsked: Chapter = async (t, { at, register, datacenter }) => {
  await at('zwolle').kubectl('delete', 'clusterrolebinding', 'gemeentecloud')
  await register('zwolle')
  const seen = await until('a reason', patience, async () => {
    const body = await datacenter('zwolle')
    return body.contactReason === null ? undefined : body
  })
  t.match(seen, { state: 'checking', contactReason: /forbidden|cannot get/i })
  await grantRights(at('zwolle'), 'broker')
}

const inventoriesAreTrue: Chapter = async (t, { at, register, datacenter, inventory, owners }) => {
  await register('amersfoort')
  await register('breda')
  for (const name of names) {
    await until(`${name} to be active`, patience, async () => (await datacenter(name)).state === 'active' || undefined)
    const seen = await inventory(name)
    const nodes = (await at(name).read<any>('/api/v1/nodes')).items
    t.same(
      seen.nodes.map((node: any) => [node.name, node.zone, node.schedulable, node.allocatable]),
      nodes.map(({ metadata, status }: any) => [
        metadata.name,
        metadata.labels['topology.kubernetes.io/zone'],
        true,
        status.allocatable,
      ]),
      `${name}: the nodes as they say they are`,
    )
    const used = seen.nodes.filter((node: any) => node.ownUse.cpu !== undefined)
    const home = (await at(name).read<any>('/api/v1/namespaces/eigen/pods/eigen')).spec.nodeName
    t.match(used, [{ name: home, ownUse: { cpu: '1500m', memory: '64Mi', pods: '1' } }])
    t.equal(used.length, 1)
    t.same(seen.storageClasses, [{ name: 'snel', readWriteMany: false }])
    t.equal(seen.kubernetesVersion, 'v1.36.1')
    owners.set(name, await ownersThings(at(name)))
  }
}

const hostingIsPlaced: Chapter = async (t, story) => {
  const { at, consumer, hostingOf } = story
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await consumer.post('systems', { slug: 'zaken', name: 'Zaken', classes })
  const asked = await consumer.post('hostings', {
    name: 'open-zaak',
    systemId: system.id,
    components: [{ name: 'web', replicas: 2, requests: { cpu: '750m', memory: '1Gi' } }],
    volumes: [{ name: 'data', storageClass: 'snel', size: '10Gi', accessMode: 'ReadWriteOnce' }],
    fallback: { mode: 'cold' },
    // None that has to come along.
    data: [],
  })
  const hosting = await until('it to run, with a fallback', patience, async () => {
    const body = await hostingOf(asked.id)
    return body.state === 'running' && body.fallbackStatus === 'ready' ? body : undefined
  })
  const site = (role: string) => hosting.placements.find((one: any) => one.role === role).datacenter as Name
  Object.assign(story, { hosting, primary: site('primary'), standby: site('standby') })
  const { primary, standby } = story
  t.not(primary, standby)

  const hard = {
    'requests.cpu': '1500m',
    'requests.memory': '2Gi',
    'requests.storage': '10Gi',
    'snel.storageclass.storage.k8s.io/requests.storage': '10Gi',
    persistentvolumeclaims: '1',
    'services.loadbalancers': '0',
    'services.nodeports': '0',
    ...Object.fromEntries(Object.entries(objectCounts).map(([what, count]) => [`count/${what}`, String(count)])),
  }
  t.same((await at(primary).read<any>(quotaPath))?.spec.hard, { ...hard, pods: '2' })
  t.same((await at(standby).read<any>(quotaPath))?.spec.hard, { ...hard, pods: '0' }, 'a cold standby runs nothing')
  for (const [name, role] of [
    [primary, 'primary'],
    [standby, 'standby'],
  ] as const) {
    t.match((await at(name).read<any>(space))?.metadata.labels, {
      'gemeentecloud.nl/hosting': hosting.id,
      'gemeentecloud.nl/role': role,
      'pod-security.kubernetes.io/enforce': 'restricted',
    })
    t.match(await at(name).read(policyPath), { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } })
  }
  for (const name of others(primary, standby)) t.equal(await at(name).read(space), undefined, `nothing at ${name}`)
}

const boundsHold: Chapter = async (t, { at, primary, standby, inventory }) => {
  const place = (name: Name, podName: string, cpu: string, more: object = {}) => {
    const made = pod(podName, { cpu, memory: '64Mi' }, { namespace: 'open-zaak' })
    return at(name).apply({ ...made, spec: { ...made.spec, ...more } })
  }
  await t.rejects(place(primary, 'over', '1600m'), /exceeded quota: gemeentecloud, requested: requests.cpu=1600m/)
  await t.rejects(place(standby, 'early', '1'), /exceeded quota: gemeentecloud, requested: pods=1/)
  await t.rejects(place(primary, 'open', '100m', { hostNetwork: true }), /violates PodSecurity "restricted/)
  await place(primary, 'within', '1')
  await until('the pod within it to run', patience, async () => {
    const found = await at(primary).read<any>(`${space}/pods/within`)
    return found?.status.phase === 'Running' || undefined
  })
  const quota = await at(primary).read<any>(quotaPath)
  t.match(quota.status.used, { 'requests.cpu': '1', pods: '1' })
  const used = (await inventory(primary)).nodes.filter((node: any) => node.ownUse.cpu !== undefined)
  t.equal(used.length, 1, 'the pod of the hosting is no own use of the owner')
}

const rightsHold: Chapter = async (t, { at, primary, consumer }) => {
  const may = async (group: string, verb: string, what: string) => {
    const member = ['--as', 'iemand', '--as-group', `gc:${consumer.id}:${group}`]
    const asked = at(primary).kubectl('auth', 'can-i', verb, what, '-n', 'open-zaak', ...member)
    return asked.then(
      () => true,
      () => false,
    )
  }
  t.ok(await may('consumer', 'create', 'deployments'))
  for (const what of ['secrets', 'pods/exec', 'ingresses']) t.ok(await may('consumer', 'create', what), what)
  t.ok(await may('consumer', 'list', 'networkpolicies'), 'what bounds them they may see')
  for (const verb of ['create', 'update', 'patch', 'delete']) {
    for (const what of ['networkpolicies', 'resourcequotas', 'limitranges', 'rolebindings', 'namespaces'])
      t.notOk(await may('consumer', verb, what), `${verb} ${what}`)
  }
  t.ok(await may('auditor', 'list', 'pods'))
  t.notOk(await may('auditor', 'create', 'pods'))
}

const driftIsRepaired: Chapter = async (t, { at, primary, standby, hosting }) => {
  const kubectl = (...args: string[]) => at(primary).kubectl('-n', 'open-zaak', ...args)
  const mended = (what: string, path: string, isSo: (object: any) => boolean) =>
    until(`${what} to be mended`, patience, async () => {
      const found = await at(primary).read<any>(path)
      return (found && isSo(found)) || undefined
    })
  const policy = await at(primary).read<any>(policyPath)
  await kubectl('delete', 'networkpolicy', 'gemeentecloud-default-deny')
  t.ok(await mended('the deleted policy', policyPath, ({ metadata }) => metadata.uid !== policy.metadata.uid))

  await kubectl('patch', 'resourcequota', 'gemeentecloud', '-p', '{"spec":{"hard":{"pods":"100"}}}')
  t.ok(await mended('the edited quota', quotaPath, ({ spec }) => spec.hard.pods === '2'))
  await kubectl('label', 'resourcequota', 'gemeentecloud', 'app.kubernetes.io/managed-by-')
  const isManaged = ({ metadata }: any) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'gemeentecloud'
  t.ok(await mended('the label of the quota', quotaPath, isManaged))

  await kubectl('label', 'namespace', 'open-zaak', 'pod-security.kubernetes.io/enforce=privileged', '--overwrite')
  const isRestricted = ({ metadata }: any) => metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted'
  t.ok(await mended('the loosened label', space, isRestricted))
  await kubectl('label', 'namespace', 'open-zaak', 'gemeentecloud.nl/hosting-')
  const isOurs = ({ metadata }: any) => metadata.labels['gemeentecloud.nl/hosting'] === hosting.id
  t.ok(await mended('the label that says whose it is', space, isOurs))
  t.equal((await at(primary).read<any>(`${space}/pods/within`))?.status.phase, 'Running', 'what runs there runs on')

  await at(standby).kubectl('delete', 'namespace', 'open-zaak')
  t.ok(await until('the deleted namespace to be back', patience, () => at(standby).read(quotaPath)))
}

const killChangesNothingElsewhere: Chapter = async (t, story) => {
  const { at, primary, standby, hosting, hostingOf, datacenter, metrics } = story
  const placementsOf = (body: any) => body.placements.map((one: any) => [one.id, one.role, one.datacenter])
  const whole = async () => ({
    placements: placementsOf(await hostingOf(hosting.id)),
    standby: await standingIn(at(standby), 'open-zaak'),
    owners: await Promise.all(others(primary).map((name) => ownersThings(at(name)))),
    states: await Promise.all(others(primary).map(async (name) => (await datacenter(name)).state)),
  })
  await until('the standby to be known as mended', patience, async () => {
    const { fallbackStatus, fallbackReasons, placements } = await hostingOf(hosting.id)
    if (fallbackStatus === 'ready') return true
    const told = placements.map(({ role, observed, mirror }: any) => ({ role, observed, mirror }))
    throw new Error(`${fallbackReasons.join(', ')}: ${JSON.stringify(told)}`)
  })
  const before = await whole()
  await at(primary).kill()
  await until('the loss to be known', patience, async () => {
    return (await datacenter(primary)).contact === 'unreachable' || undefined
  })
  t.same(await whole(), before)
  const body = await hostingOf(hosting.id)
  t.match(body, { state: 'degraded', fallbackStatus: 'ready' })
  const lost = body.placements.find((one: any) => one.role === 'primary')
  t.match(lost, { observed: 'unknown', observedAt: String }, 'not said to be there, not said to be gone')
  t.match(await metrics(), new RegExp(`gemeentecloud_datacenter_up\\{datacenter="${primary}"\\} 0`))
  for (const name of others(primary)) t.match(await datacenter(name), { contact: 'reachable' })
}

const othersGoOn: Chapter = async (t, { at, primary, standby, hosting, hostingOf, consumer }) => {
  const asked = await consumer.post('hostings', {
    name: 'objecten',
    systemId: hosting.systemId,
    components: [{ name: 'web', replicas: 1, requests: { cpu: '500m', memory: '512Mi' } }],
    fallback: { mode: 'none' },
  })
  const placed = await until('another hosting to run', patience, async () => {
    const body = await hostingOf(asked.id)
    return body.state === 'running' ? body : undefined
  })
  const site = placed.placements[0].datacenter as Name
  t.not(site, primary)
  const standing = await standingIn(at(site), 'objecten')

  t.equal((await consumer.remove(`hostings/${hosting.id}`)).body.state, 'ending')
  await until('the first to be gone at the standby', patience, async () => {
    return (await at(standby).read(space)) === undefined || undefined
  })
  t.match(await hostingOf(hosting.id), { state: 'ending' }, 'what cannot be seen may still be there')
  t.same(await standingIn(at(site), 'objecten'), standing, 'the other is not touched')
  await consumer.remove(`hostings/${asked.id}`)
  await until('the other to end', patience, async () => (await hostingOf(asked.id)).state === 'ended' || undefined)
}

const endIsCompleted: Chapter = async (t, { at, primary, hosting, hostingOf, datacenter, consumer, owners }) => {
  await at(primary).restart()
  await until('the end', 2 * patience, async () => (await hostingOf(hosting.id)).state === 'ended' || undefined)
  for (const name of names) {
    t.equal(await at(name).read(space), undefined, `gone at ${name}`)
    t.same(await ownersThings(at(name)), owners.get(name), `${name} is as it was before the hosting came`)
  }
  t.match(await datacenter(primary), { contact: 'reachable', state: 'active' })
  const { body } = await consumer.get(`events?subject=${hosting.id}&limit=500`)
  const types = body.items.map((event: any) => event.type)
  t.equal(types.filter((type: string) => type === 'placement.released').length, 2)
  t.equal(types.at(-1), 'hosting.ended')
}

const others = (...without: Name[]) => names.filter((name) => !without.includes(name))

const chapters: Readonly<Record<string, Chapter>> = {
  'the owners run things of their own, and grant what is asked': ownersAreThere,
  'an account without rights is told what it lacks': rightsAreAsked,
  'with exactly the rights that are asked for, inventory equals what the nodes say': inventoriesAreTrue,
  'a request stands in two clusters, with the exact quota': hostingIsPlaced,
  'the API server itself refuses what is over, and runs what is within': boundsHold,
  'members of the party may what their role may': rightsHold,
  'drift is repaired': driftIsRepaired,
  'a cluster that is killed changes nothing elsewhere': killChangesNothingElsewhere,
  'others go on: one comes, one goes as far as can be seen': othersGoOn,
  'when it is back, the end is completed and nothing of the owner was touched': endIsCompleted,
}

t.test('a hosting on three clusters, from request to end', { skip }, async (t) => {
  const stage = await setStage(t)
  // A chapter stands on those before it: after the first that fails the rest would only say so again.
  const story: Story = { ...stage, owners: new Map(), hosting: undefined, primary: 'breda', standby: 'zwolle' }
  for (const [name, chapter] of Object.entries(chapters)) {
    if (t.passing()) await t.test(name, (t) => chapter(t, story))
  }
})
