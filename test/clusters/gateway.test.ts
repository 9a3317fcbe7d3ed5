/** The gateway before real clusters, with stock kubectl and Helm: what programmes do all day, over two datacenters as one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '../../services/shared/clock.ts'
import { connectCluster } from '../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { type GatewayStage, setGatewayStage, type Tenant } from './gateway-stage.ts'
import { missingForClusters, until } from './start.ts'

t.setTimeout(30 * 60_000)
const skip = (await missingForClusters()) ?? false
const patience = 60_000

interface Story extends GatewayStage {
  readonly one: Tenant
  readonly two: Tenant
}

type Chapter = (t: Test, story: Story) => Promise<void>

const configMap = (name: string, data: object, namespace?: string, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels, ...(namespace && { namespace }) },
  data,
})

const deployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'web',
            image: 'registry.invalid/web',
            resources: { requests: { cpu: '50m', memory: '64Mi' } },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
  },
})

const oneCluster: Chapter = async (t, { one, two }) => {
  t.same((await one.kubectl('get', 'ns', '-o', 'name')).trim().split('\n'), ['namespace/kiss', 'namespace/open-zaak'])
  t.match(await one.kubectl('get', 'ns', '-o', 'wide'), /kiss +Active +\S+ +breda +kiss-breda\n/)
  t.same((await two.kubectl('get', 'ns', '-o', 'name')).trim(), 'namespace/zac')
  t.match(await one.kubectl('version'), /Server Version: v1\.\d+/)
  t.match(await one.kubectl('describe', 'ns', 'kiss'), /Name: +kiss/)
  const resources = await one.kubectl('api-resources', '--no-headers')
  for (const kind of ['ConfigMap', 'Deployment', 'Ingress', 'Namespace', 'Node', 'StorageClass'])
    t.match(resources, new RegExp(` ${kind}\n`))
  t.notMatch(resources, / (ClusterRole|CustomResourceDefinition|PersistentVolume|APIService)\n/)
  t.match(await one.kubectl('explain', 'deployment.spec.replicas'), /replicas/)
  t.match(await one.kubectl('get', 'nodes', '-o', 'name'), 'node/amersfoort-a.amersfoort\nnode/breda-a.breda\n')
  t.match(
    await one.kubectl('get', 'nodes'),
    /VERSION +DATACENTER\namersfoort-a\.amersfoort .* amersfoort\nbreda-a\.breda .* breda/,
  )
  t.match(await one.kubectl('get', 'node', 'breda-a.breda', '-o', 'jsonpath={.kind} {.metadata.name}'), 'Node breda-a')
  for (const name of ['breda-a', 'breda-a.amersfoort', 'breda-a.elders'])
    await t.rejects(one.kubectl('get', 'node', name), /NotFound/)
}

const work: Chapter = async (t, { one, at }) => {
  const at0 = ['-n', 'open-zaak']
  t.match(await one.given(deployment(2), ...at0, 'apply', '-f', '-'), 'deployment.apps/web created')
  t.match(await one.given(deployment(2), ...at0, 'apply', '-f', '-'), 'deployment.apps/web unchanged')
  t.match(await one.kubectl(...at0, 'rollout', 'status', 'deploy/web', '--timeout=60s'), /successfully rolled out/)
  t.match(await one.kubectl(...at0, 'scale', 'deploy/web', '--replicas=3'), 'scaled')
  t.match(
    await one.kubectl(...at0, 'wait', 'deploy/web', '--for=jsonpath={.status.readyReplicas}=3', '--timeout=60s'),
    'met',
  )
  await t.rejects(one.given(deployment(5), ...at0, 'diff', '-f', '-'), /- {2}replicas: 3\n\+ {2}replicas: 5/)
  t.match(
    await one.kubectl(...at0, 'patch', 'deploy', 'web', '-p', '{"metadata":{"labels":{"van":"patch"}}}'),
    'patched',
  )
  t.match(await one.kubectl(...at0, 'describe', 'deploy', 'web'), /van=patch[\s\S]*Replicas: +3 desired/)
  t.match(await one.kubectl(...at0, 'create', 'configmap', 'gemaakt', '--from-literal=a=1'), 'created')
  t.match(await one.kubectl(...at0, 'delete', 'configmap', 'gemaakt'), 'deleted')
  const standing = await at('amersfoort').read<any>('/apis/apps/v1/namespaces/open-zaak/deployments/web')
  t.equal(standing.spec.replicas, 3, 'it stands in the cluster')
  t.equal(await at('breda').read('/apis/apps/v1/namespaces/open-zaak/deployments/web'), undefined, 'and in no other')
  const fields = standing.metadata.managedFields.map(({ manager }: any) => manager)
  t.ok(
    fields.some((manager: string) => manager.startsWith('kubectl')),
    'under the name of who did it',
  )
}

const conflicts: Chapter = async (t, { one }) => {
  const apply = (data: object, manager: string, ...more: string[]) =>
    one.given(
      configMap('samen', data),
      '-n',
      'kiss',
      'apply',
      '--server-side',
      `--field-manager=${manager}`,
      ...more,
      '-f',
      '-',
    )
  await apply({ a: '1' }, 'een')
  await t.rejects(apply({ a: '2' }, 'twee'), /conflicts? with "een"/)
  t.match(await apply({ a: '2' }, 'twee', '--force-conflicts'), 'serverside-applied')
  t.match(
    await one.given(
      configMap('samen', { a: '3' }),
      '-n',
      'kiss',
      'apply',
      '--server-side',
      '--dry-run=server',
      '--force-conflicts',
      '-f',
      '-',
    ),
    'dry run',
  )
  await t.rejects(one.kubectl('-n', 'kiss', 'create', 'configmap', 'samen'), /already exists/)
}

const everywhere: Chapter = async (t, { one, two }) => {
  for (const namespace of ['kiss', 'open-zaak'])
    await one.given(configMap('lijst', { van: namespace }, namespace, { proef: 'ja' }), 'apply', '-f', '-')
  const listed = await one.kubectl('get', 'cm', '-A', '-l', 'proef=ja', '--no-headers')
  t.match(listed, /^open-zaak +lijst +1 +\S+\nkiss +lijst +1 +\S+\n$/)
  t.equal(await two.kubectl('get', 'cm', '-A', '-l', 'proef=ja', '--no-headers'), '')
  const paged = await one.kubectl('get', 'cm', '-A', '--chunk-size=1', '-o', 'name')
  t.equal(paged, await one.kubectl('get', 'cm', '-A', '-o', 'name'), 'in pages it is the same')
  t.match(await one.kubectl('get', 'deploy,cm', '-A', '-o', 'json'), '"kind": "Deployment"')
  t.match(await one.kubectl('get', 'events', '-A', '--no-headers'), /open-zaak/)
  t.match(
    await one.kubectl('get', 'cm', '-A', '--field-selector=metadata.name=lijst', '-o', 'name'),
    'configmap/lijst\nconfigmap/lijst\n',
  )
}

const watched: Chapter = async (t, { one }) => {
  const path = '/api/v1/configmaps?labelSelector=proef%3Dja'
  const list = await one.call('GET', path)
  t.equal(list.status, 200)
  const { resourceVersion } = list.body.metadata
  const watching = one.watch(`${path}&watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`)
  t.teardown(watching.stop)
  for (const namespace of ['kiss', 'open-zaak'])
    await one.given(configMap('lijst', { van: 'later' }, namespace, { proef: 'ja' }), 'apply', '-f', '-')
  await until('both changes', patience, () => watching.events.length >= 2 || undefined)
  t.same(watching.events.map(({ type, object }: any) => [type, object.metadata.namespace]).sort(), [
    ['MODIFIED', 'kiss'],
    ['MODIFIED', 'open-zaak'],
  ])
  const [first, second] = watching.events
  t.ok(BigInt(second.object.metadata.resourceVersion) > BigInt(first.object.metadata.resourceVersion), 'versions grow')

  const resumed = one.watch(`${path}&watch=true&resourceVersion=${first.object.metadata.resourceVersion}`)
  t.teardown(resumed.stop)
  await until('what came after the first', patience, () => resumed.events.length >= 1 || undefined)
  t.match(resumed.events, [{ type: 'MODIFIED', object: { metadata: { uid: second.object.metadata.uid } } }])

  const changed = { ...second.object, data: { van: 'de watch' } }
  const { namespace, name } = second.object.metadata
  const at = `/api/v1/namespaces/${namespace}/configmaps/${name}`
  const put = await one.call('PUT', at, { body: changed })
  t.match(put, { status: 200, body: { data: { van: 'de watch' } } }, 'what a watch gave can be sent back')
  t.match(await one.call('PUT', at, { body: changed }), { status: 409, body: { reason: 'Conflict' } }, 'but once')

  const streamed = one.watch(
    `${path}&watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
  )
  t.teardown(streamed.stop)
  await until('the end of what there was', patience, () => streamed.events.length >= 3 || undefined)
  t.match(streamed.events, [
    { type: 'ADDED', object: { kind: 'ConfigMap', apiVersion: 'v1' } },
    { type: 'ADDED' },
    { type: 'BOOKMARK', object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } },
  ])
}

const rights: Chapter = async (t, { one, two }) => {
  const can = (tenant: Tenant, ...args: string[]) =>
    tenant.kubectl('auth', 'can-i', ...args).then(
      (text) => text.trim(),
      (error: Error) => (/: no/.test(error.message) ? 'no' : error.message),
    )
  t.equal(await can(one, 'create', 'deployments', '-n', 'kiss'), 'yes')
  t.equal(await can(one, 'create', 'rolebindings', '-n', 'kiss'), 'no')
  t.equal(await can(one, 'list', 'pods', '-A'), 'yes')
  t.equal(await can(one, 'get', 'pods', '-n', 'zac'), 'no')
  t.equal(await can(two, 'get', 'pods', '-n', 'zac'), 'yes')
  t.equal(await can(one, 'delete', 'nodes'), 'no')
  t.match(
    await one.kubectl('auth', 'can-i', '--list', '-n', 'kiss'),
    /deployments\.apps +\[\] +\[\] +\[get list watch create/,
  )
  t.match(await one.kubectl('auth', 'whoami', '-o', 'json'), `gc:${one.id}:test`)
}

const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: proef\nversion: 1.0.0\n',
  'values.yaml': 'waarde: een\n',
  'templates/configmap.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  waarde: {{ .Values.waarde }}\n',
  'templates/hook.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-haak\n' +
    '  annotations:\n    helm.sh/hook: pre-install\ndata:\n  eerst: ja\n',
}

const helm: Chapter = async (t, { one }) => {
  const folder = join(one.folder, 'chart')
  mkdirSync(join(folder, 'templates'), { recursive: true })
  for (const [name, text] of Object.entries(chart)) writeFileSync(join(folder, name), text)
  const at = ['-n', 'open-zaak']
  const value = async () => (await one.kubectl(...at, 'get', 'cm', 'release', '-o', 'jsonpath={.data.waarde}')).trim()
  t.match(await one.helm(...at, 'install', 'release', folder, '--create-namespace'), 'STATUS: deployed')
  t.equal(await value(), 'een')
  t.match(await one.helm(...at, 'upgrade', 'release', folder, '--set', 'waarde=twee', '--wait'), 'has been upgraded')
  t.equal(await value(), 'twee')
  t.match(await one.helm('list', '-A', '--no-headers'), /release\s+open-zaak\s+2\s/)
  t.match(await one.helm(...at, 'rollback', 'release', '1'), 'Rollback was a success')
  t.equal(await value(), 'een')
  t.match(await one.helm(...at, 'uninstall', 'release', '--wait'), 'uninstalled')
  await t.rejects(one.helm('-n', 'zac', 'install', 'release', folder), /not found/)
  await t.rejects(one.helm('-n', 'nieuw', 'install', 'release', folder, '--create-namespace'), /comes with a hosting/)
}

const sessions: Chapter = async (t, { one }) => {
  const pods = await one.kubectl('-n', 'open-zaak', 'get', 'pods', '-l', 'app=web', '-o', 'name')
  const [pod = ''] = pods.trim().split('\n')
  // The kubelet that KWOK plays was told of no sessions: that it says so shows that the request came to it as it should.
  await t.rejects(one.kubectl('-n', 'open-zaak', 'exec', pod, '--', 'true'), /no exec found/)
  await t.rejects(one.kubectl('-n', 'open-zaak', 'logs', pod), /no logs found/)
  await t.rejects(one.kubectl('-n', 'zac', 'exec', 'pod/x', '--', 'true'), /not found/)
}

const oneIsCut: Chapter = async (t, { one, at }) => {
  const path = '/api/v1/configmaps?labelSelector=proef%3Dja'
  const { resourceVersion } = (await one.call('GET', path)).body.metadata
  const watching = one.watch(`${path}&watch=true&resourceVersion=${resourceVersion}`)
  t.teardown(watching.stop)
  await at('breda').kill('apiserver')
  const part = await one.call('GET', path)
  t.equal(part.status, 200)
  t.match(part.headers['warning'], /datacenter breda does not answer/)
  t.same(
    part.body.items.map(({ metadata }: any) => metadata.namespace),
    ['open-zaak'],
  )
  t.match(await one.call('GET', '/api/v1/namespaces/kiss/configmaps/lijst'), { status: 503, body: { kind: 'Status' } })
  t.same((await one.kubectl('get', 'ns', '-o', 'name')).trim().split('\n').length, 2, 'namespaces are still told')
  await one.given(configMap('lijst', { van: 'ondertussen' }, 'open-zaak', { proef: 'ja' }), 'apply', '-f', '-')
  await until('the other goes on', patience, () => watching.events.length >= 1 || undefined)
  const gap = one.watch(`${path}&watch=true&resourceVersion=${part.body.metadata.resourceVersion}`)
  t.teardown(gap.stop)
  await at('breda').restart()
  await one.kubectl('-n', 'kiss', 'label', 'cm', 'lijst', 'terug=ja')
  // An API server that starts anew remembers no changes: then the client is told to list again.
  const isOn = ({ type, object }: any) =>
    object.metadata?.labels?.terug === 'ja' || (type === 'ERROR' && object.code === 410)
  await until('the watch to go on, or to say that it cannot', patience, () => watching.events.some(isOn) || undefined)
  await gap.ended
  t.match(
    gap.events.at(-1),
    { type: 'ERROR', object: { code: 410 } },
    'who had not seen a datacenter has to list again',
  )
}

const informed: Chapter = async (t, { one, url, ca, at }) => {
  const connection = { server: url, caData: Buffer.from(ca).toString('base64'), token: one.token }
  const world = { clock: systemClock, random: systemRandom, allowedAddresses: ['127.0.0.0/8'] }
  const client = await connectCluster(connection, world)
  t.teardown(() => client.close())
  const seen = new Map<string, string>()
  const keyOf = ({ metadata }: any) => `${metadata.namespace}/${metadata.name}`
  const handlers = {
    changed: (object: any) => seen.set(keyOf(object), object.data?.nummer),
    gone: (object: any) => seen.delete(keyOf(object)),
    failed: () => undefined,
    synced: () => undefined,
  }
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  const kind = { apiVersion: 'v1', kind: 'ConfigMap' }
  await client.informer({ ...kind, labelSelector: 'inform=ja' }, handlers, stop.signal).synced
  const write = (nummer: number, namespace: string) =>
    one.given(configMap(`i${nummer % 5}`, { nummer: String(nummer) }, namespace, { inform: 'ja' }), 'apply', '-f', '-')
  const isSame = async () => {
    const standing = await one.call('GET', '/api/v1/configmaps?labelSelector=inform%3Dja')
    const wanted = standing.body.items.map((item: any) => `${keyOf(item)}=${item.data.nummer}`)
    return (
      wanted.sort().join() ===
        [...seen]
          .map(([key, nummer]) => `${key}=${nummer}`)
          .sort()
          .join() || undefined
    )
  }
  for (let nummer = 0; nummer < 6; nummer++) await write(nummer, nummer % 2 === 0 ? 'kiss' : 'open-zaak')
  await until('it to know all', patience, isSame)
  t.equal(seen.size, 6)
  await at('breda').kill('apiserver')
  for (let nummer = 6; nummer < 10; nummer++) await write(nummer, 'open-zaak')
  await until('it to know of the one that is there', patience, () => seen.get('open-zaak/i4') === '9' || undefined)
  await at('breda').restart()
  await one.kubectl('-n', 'kiss', 'delete', 'cm', 'i0')
  await write(11, 'kiss')
  await until('it to know all again', patience, isSame)
  t.notOk(seen.has('kiss/i0'), 'also what went while it did not look')
  t.equal(seen.get('kiss/i1'), '11')
}

const moves: Chapter = async (t, { one, host }) => {
  const { items } = (await one.get('hostings')).body
  const { id } = items.find(({ name }: any) => name === 'kiss')
  const { resourceVersion } = (await one.call('GET', '/api/v1/configmaps')).body.metadata
  const watching = one.watch(`/api/v1/configmaps?watch=true&resourceVersion=${resourceVersion}`)
  t.teardown(watching.stop)
  await one.remove(`hostings/${id}`)
  await until(
    'it to have ended',
    patience,
    async () => (await one.get(`hostings/${id}`)).body.state === 'ended' || undefined,
  )
  await watching.ended
  t.match(watching.events.at(-1), { type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  t.match(await one.call('GET', '/api/v1/namespaces/kiss/pods'), { status: 404 })
  await host(one, 'kiss', 'amersfoort')
  t.match(await one.kubectl('get', 'ns', 'kiss', '-o', 'wide'), /amersfoort/)
  t.match(await one.given(configMap('hier', {}), '-n', 'kiss', 'apply', '-f', '-'), 'created')
  t.match(
    await one.call('GET', `/api/v1/configmaps?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`),
    { status: 410 },
  )
}

const chapters: Record<string, Chapter> = {
  'one cluster, with the namespaces of the caller': oneCluster,
  'kubectl works in it': work,
  'server-side apply and its conflicts': conflicts,
  'lists over all namespaces': everywhere,
  'a watch over two datacenters, and back': watched,
  'who may what': rights,
  'Helm installs, upgrades, rolls back and uninstalls': helm,
  'sessions reach the API server': sessions,
  'one datacenter is cut and returns': oneIsCut,
  'an informer over both, while one is cut and returns': informed,
  'a hosting that moves': moves,
}

t.test('the gateway before two clusters', { skip }, async (t) => {
  const stage = await setGatewayStage(t, 'agent')
  const [one, two] = [
    await stage.tenant(stage.consumer),
    await stage.tenant(await stage.newConsumer('00000099000000000203')),
  ] as const
  await Promise.all([
    stage.host(one, 'open-zaak', 'amersfoort'),
    stage.host(one, 'kiss', 'breda'),
    stage.host(two, 'zac', 'breda'),
  ])
  for (const [name, chapter] of Object.entries(chapters)) await t.test(name, (t) => chapter(t, { ...stage, one, two }))
})
