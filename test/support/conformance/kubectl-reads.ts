/** kubectl as people look with it: tables, output forms, watching, describing, rights. */
import { configMap, deployment, pod, quota } from './manifests.ts'
import { eventually, type Part } from './world.ts'

export const kubectlReads: Part = async (t, { kubectl, space }) => {
  const { name: namespace } = await space(t)
  const at = ['-n', namespace]
  await kubectl.given(
    [pod('runs', undefined, { labels: { app: 'a' } }), configMap('one', { a: '1' })],
    ...at,
    'create',
    '-f',
    '-',
  )
  await kubectl(...at, 'wait', '--for=condition=Ready', 'pod/runs', '--timeout=60s')

  await t.test('version and resources', async (t) => {
    t.match((await kubectl.json('version')).serverVersion, { major: '1', gitVersion: /^v1\./ })
    const names = (await kubectl('api-resources', '-o', 'name')).split('\n')
    for (const name of ['pods', 'resourcequotas', 'deployments.apps', 'networkpolicies.networking.k8s.io']) {
      t.ok(names.includes(name), name)
    }
    t.match(await kubectl('api-resources', '--namespaced=false'), /^namespaces +ns +v1 +false +Namespace$/m)
    t.match(await kubectl('api-versions'), /^apps\/v1$/m)
    t.match(await kubectl('cluster-info'), /is running at/)
  })

  await t.test('tables', async (t) => {
    t.match(await kubectl(...at, 'get', 'pods'), /^NAME +READY +STATUS +RESTARTS +AGE\nruns +1\/1 +Running +0 +\d+s\n$/)
    t.match(await kubectl(...at, 'get', 'pods', '-o', 'wide'), /NODE.*\n.*runs/)
    t.match(await kubectl('get', 'pods', '-A'), new RegExp(`^${namespace} +runs +1/1`, 'm'))
    t.match(await kubectl('get', 'ns', namespace), /^NAME +STATUS +AGE\n.* +Active +\d+s/)
    t.match(await kubectl('get', 'nodes'), /^NAME +STATUS +ROLES +AGE +VERSION\n\S+ +Ready/)
    t.match(await kubectl('get', 'sc'), /^NAME +PROVISIONER[\s\S]*^snel/m)
    t.match(await kubectl(...at, 'get', 'po,cm', '--show-labels'), /pod\/runs[\s\S]*app=a[\s\S]*configmap\/one/)
    t.match(await kubectl(...at, 'get', 'all'), /pod\/runs/)
    t.equal(await kubectl(...at, 'get', 'deployments'), '', 'nothing there')
  })

  await t.test('other forms', async (t) => {
    t.equal(await kubectl(...at, 'get', 'po', '-o', 'name'), 'pod/runs\n')
    t.match(await kubectl.json(...at, 'get', 'cm', 'one'), { kind: 'ConfigMap', data: { a: '1' } })
    t.match(await kubectl.json(...at, 'get', 'pods'), { kind: 'List', items: [{ metadata: { name: 'runs' } }] })
    t.match(
      await kubectl(...at, 'get', 'cm', 'one', '-o', 'yaml'),
      /^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\n/,
    )
    t.equal(await kubectl(...at, 'get', 'po', 'runs', '-o', 'jsonpath={.status.phase}'), 'Running')
    t.equal(
      await kubectl(...at, 'get', 'po', '-l', 'app=a', '--field-selector', 'status.phase=Running', '-o', 'name'),
      'pod/runs\n',
    )
    t.equal(await kubectl('get', '--raw', '/readyz'), 'ok')
    t.match(await kubectl.fails(...at, 'get', 'po', 'none'), 'Error from server (NotFound): pods "none" not found')
    t.match(await kubectl.fails(...at, 'get', 'nones'), `the server doesn't have a resource type "nones"`)
  })

  await t.test('watching', async () => {
    const watching = kubectl.follow(...at, 'get', 'cm', '-l', 'seen', '-w', '--output-watch-events')
    const tells = (words: RegExp) => eventually(`kubectl to print ${words}`, () => words.test(watching.output()))
    await kubectl(...at, 'label', 'cm', 'one', 'seen=yes')
    await tells(/^ADDED +one/m)
    await kubectl(...at, 'patch', 'cm', 'one', '-p', '{"data":{"b":"1"}}')
    await tells(/^MODIFIED +one +2/m)
    await kubectl(...at, 'label', 'cm', 'one', 'seen-')
    await tells(/^DELETED +one/m)
    await watching.stop()
  })

  await t.test('describing', async (t) => {
    await kubectl.given([quota({ pods: '9' }), deployment('web', 1)], ...at, 'create', '-f', '-')
    await kubectl(...at, 'rollout', 'status', 'deployment/web', '--timeout=60s')
    t.match(
      await kubectl(...at, 'describe', 'pod', 'runs'),
      /^Name: +runs$[\s\S]*^Node: +\S+[\s\S]*^Status: +Running$[\s\S]*^Events:/m,
    )
    t.match(await kubectl(...at, 'describe', 'quota', 'quota'), /^pods +\d +9$/m)
    t.match(await kubectl('describe', 'ns', namespace), /^Status: +Active$[\s\S]*Resource Quotas[\s\S]*pods +\d +9/m)
    t.match(
      await kubectl(...at, 'describe', 'deployment', 'web'),
      /^Replicas: +1 desired \| 1 updated \| 1 total \| 1 available/m,
    )
    const [node] = (await kubectl('get', 'nodes', '-o', 'name')).split('\n')
    t.match(await kubectl('describe', node ?? ''), /^Allocatable:$[\s\S]*^Allocated resources:/m)
  })

  await t.test('rights', async (t) => {
    t.equal(await kubectl(...at, 'auth', 'can-i', 'create', 'pods'), 'yes\n')
    t.match(await kubectl(...at, 'auth', 'can-i', '--list'), /^\*\.\* +\[\] +\[\] +\[\*\]$/m)
  })
}
