/** kubectl as people and pipelines change with it: apply both ways, patches, labels, scale, waiting, deleting. */
import { configMap, deployment, pod, quota } from './manifests.ts'
import { type Part, untilBody, untilGone } from './world.ts'

export const kubectlWrites: Part = async (t, { api, kubectl, space }) => {
  const { name: namespace, core } = await space(t)
  const at = ['-n', namespace]
  const data = async (name: string) => (await api.get(`${core}/configmaps/${name}`)).body.data

  await t.test('create', async (t) => {
    t.equal(await kubectl.given(configMap('made'), ...at, 'create', '-f', '-'), 'configmap/made created\n')
    const again = await kubectl.failsGiven(configMap('made'), ...at, 'create', '-f', '-')
    t.match(again, /Error from server \(AlreadyExists\).*configmaps "made" already exists/)
  })

  await t.test('create by its generators, which send protobuf', async (t) => {
    await kubectl(...at, 'create', 'configmap', 'literal', '--from-literal=a=1', '--from-literal=b=')
    t.strictSame(await data('literal'), { a: '1', b: '' })
    await kubectl(...at, 'create', 'quota', 'generated', '--hard=pods=9,requests.cpu=500m')
    const generated = await kubectl.json(...at, 'get', 'quota', 'generated')
    t.strictSame(generated.spec.hard, { pods: '9', 'requests.cpu': '500m' })
    await kubectl(...at, 'delete', 'quota', 'generated')
    await kubectl(...at, 'create', 'deployment', 'quick', '--image=none', '--replicas=0')
    const { spec } = await kubectl.json(...at, 'get', 'deploy', 'quick')
    t.match(spec, { replicas: 0, selector: { matchLabels: { app: 'quick' } } })
    t.match(spec.template.spec.containers, [{ image: 'none' }])
    await kubectl('create', 'namespace', `${namespace}-more`)
    t.match(await kubectl('delete', 'namespace', `${namespace}-more`, '--wait=false'), /deleted/)
  })

  await t.test('apply, with what was applied last in mind', async (t) => {
    const apply = (values: Record<string, string>) =>
      kubectl.given(configMap('applied', values), ...at, 'apply', '-f', '-')
    t.equal(await apply({ a: '1', b: '1' }), 'configmap/applied created\n')
    t.equal(await apply({ a: '1', b: '1' }), 'configmap/applied unchanged\n')
    await kubectl(...at, 'patch', 'cm', 'applied', '--type=merge', '-p', '{"data":{"own":"1"}}')
    t.equal(await apply({ a: '2' }), 'configmap/applied configured\n')
    t.strictSame(await data('applied'), { a: '2', own: '1' })
    const workload = await kubectl.given([deployment('web', 1), quota({ pods: '10' })], ...at, 'apply', '-f', '-')
    t.equal(workload, 'deployment.apps/web created\nresourcequota/quota created\n')
    const other = await kubectl.given([deployment('web', 2), quota({ pods: '10' })], ...at, 'apply', '-f', '-')
    t.equal(other, 'deployment.apps/web configured\nresourcequota/quota unchanged\n')
  })

  await t.test('apply on the server', async (t) => {
    const values = (a: string) => configMap('owned', { a })
    const apply = ['apply', '--server-side', '-f', '-']
    t.equal(await kubectl.given(values('1'), ...at, ...apply), 'configmap/owned serverside-applied\n')
    const other = ['--field-manager=other']
    const refused = await kubectl.failsGiven(values('2'), ...at, ...apply, ...other)
    t.match(refused, /Apply failed with 1 conflict: conflict with "kubectl": \.data\.a/)
    t.strictSame(await data('owned'), { a: '1' })
    await kubectl.given(values('2'), ...at, ...apply, ...other, '--force-conflicts')
    t.strictSame(await data('owned'), { a: '2' })
    const dry = await kubectl.given(values('3'), ...at, ...apply, ...other, '--dry-run=server')
    t.equal(dry, 'configmap/owned serverside-applied (server dry run)\n')
    t.strictSame(await data('owned'), { a: '2' })
  })

  await t.test('patch, three ways', async (t) => {
    const patch = (kind: string, body: string) => kubectl(...at, 'patch', 'cm', 'owned', `--type=${kind}`, '-p', body)
    t.equal(await patch('json', '[{"op":"add","path":"/data/j","value":"1"}]'), 'configmap/owned patched\n')
    await patch('merge', '{"data":{"m":"1"}}')
    await patch('strategic', '{"data":{"s":"1","m":null}}')
    t.strictSame(await data('owned'), { a: '2', j: '1', s: '1' })
    t.equal(await patch('merge', '{"data":{"s":"1"}}'), 'configmap/owned patched (no change)\n')
  })

  await t.test('label and annotate', async (t) => {
    t.equal(await kubectl(...at, 'label', 'cm', 'owned', 'a=b', 'c=d'), 'configmap/owned labeled\n')
    t.match(await kubectl.fails(...at, 'label', 'cm', 'owned', 'a=x'), /already has a value/)
    await kubectl(...at, 'label', 'cm', 'owned', 'a=x', '--overwrite')
    t.equal(await kubectl(...at, 'label', 'cm', 'owned', 'c-'), 'configmap/owned unlabeled\n')
    t.equal(await kubectl(...at, 'annotate', 'cm', 'owned', 'note=some words'), 'configmap/owned annotated\n')
    const { metadata } = await kubectl.json(...at, 'get', 'cm', 'owned')
    t.strictSame([metadata.labels, metadata.annotations], [{ a: 'x' }, { note: 'some words' }])
  })

  await t.test('scale and rollout', async (t) => {
    t.match(await kubectl(...at, 'rollout', 'status', 'deploy/web', '--timeout=60s'), /successfully rolled out/)
    t.equal(await kubectl(...at, 'scale', 'deploy/web', '--replicas=3'), 'deployment.apps/web scaled\n')
    await kubectl(...at, 'rollout', 'status', 'deploy/web', '--timeout=60s')
    t.match(await kubectl(...at, 'get', 'deploy', 'web'), /^web +3\/3 +3 +3 /m)
    await kubectl(...at, 'set', 'image', 'deploy/web', 'web=other')
    t.match(await kubectl(...at, 'rollout', 'status', 'deploy/web', '--timeout=60s'), /successfully rolled out/)
    await kubectl(...at, 'rollout', 'restart', 'deploy/web')
    await kubectl(...at, 'wait', '--for=condition=Available', 'deploy/web', '--timeout=60s')
    t.match(await kubectl(...at, 'get', 'rs', '-l', 'app=web'), /^NAME +DESIRED +CURRENT +READY +AGE/)
  })

  await t.test('wait for what comes and what goes', async (t) => {
    await kubectl.given(pod('awaited'), ...at, 'create', '-f', '-')
    t.equal(
      await kubectl(...at, 'wait', '--for=condition=Ready', 'pod/awaited', '--timeout=60s'),
      'pod/awaited condition met\n',
    )
    await kubectl(...at, 'wait', '--for=jsonpath={.status.phase}=Running', 'pod/awaited', '--timeout=60s')
    const gone = kubectl.follow(...at, 'wait', '--for=delete', 'pod/awaited', '--timeout=60s')
    t.match(await kubectl(...at, 'delete', 'pod', 'awaited'), /^pod "awaited" deleted/)
    t.equal((await gone.finished).code, 0)
    await untilGone(api, `${core}/pods/awaited`)
  })

  await t.test('delete waits for finalizers', async (t) => {
    const held = configMap('held', {}, { finalizers: ['gemeentecloud.nl/conformance'] })
    await kubectl.given(held, ...at, 'create', '-f', '-')
    const deleting = kubectl.follow(...at, 'delete', 'cm', 'held', '--timeout=60s')
    const path = `${core}/configmaps/held`
    await untilBody(api, path, 'the mark', ({ metadata }) => metadata.deletionTimestamp !== undefined)
    const late = await kubectl.fails(...at, 'delete', 'cm', 'held', '--timeout=1s')
    t.match(late, /timed out waiting for the condition/)
    await kubectl(...at, 'patch', 'cm', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
    t.match(await deleting.finished, { code: 0, stdout: /^configmap "held" deleted/, stderr: '' })
  })

  await t.test('a quota speaks through it', async (t) => {
    await kubectl.given(quota({ pods: '0' }, 'none'), ...at, 'create', '-f', '-')
    const refused = await kubectl.failsGiven(pod('over'), ...at, 'create', '-f', '-')
    t.match(refused, /Error from server \(Forbidden\).*pods "over" is forbidden: exceeded quota: none/)
  })

  await t.test('delete by label, with what is owned, and the namespace last', async (t) => {
    t.match(await kubectl(...at, 'delete', 'cm', '-l', 'a=x'), /configmap "owned" deleted/)
    await kubectl(...at, 'delete', 'deploy', 'web', '--timeout=60s', '--cascade=foreground')
    t.equal(await kubectl(...at, 'get', 'rs,pods', '-l', 'app=web'), '')
    await kubectl('delete', 'ns', namespace, '--timeout=60s')
    t.match(await kubectl.fails('get', 'ns', namespace), /NotFound/)
  })
}
