/** Server-side apply: who owns which field, conflicts, taking over, giving up, and the dry run. */
import { configMap, deployment } from './manifests.ts'
import type { Part } from './world.ts'

export const applying: Part = async (t, { api, space }) => {
  const { core, apps } = await space(t)
  const at = (name: string) => `${core}/configmaps/${name}`
  const apply = (manager: string, name: string, data: object, query = '') =>
    api.patch(`${at(name)}?fieldManager=${manager}${query}`, 'apply', { ...configMap(name), data })
  const data = async (name: string) => (await api.get(at(name))).body.data
  const ownedBy = (body: any, manager: string, operation = 'Apply') =>
    Object.keys(
      body.metadata.managedFields.find((one: any) => one.manager === manager && one.operation === operation)
        ?.fieldsV1?.['f:data'] ?? {},
    )
      .filter((field) => field !== '.')
      .sort()

  await t.test('makes what is not there, and says who owns it', async (t) => {
    const { status, body } = await apply('ours', 'new', { a: '1', b: '1' })
    t.equal(status, 201)
    t.match(body, { kind: 'ConfigMap', metadata: { uid: String }, data: { a: '1', b: '1' } })
    const entry = { manager: 'ours', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', time: String }
    t.match(body.metadata.managedFields, [entry])
    t.strictSame(ownedBy(body, 'ours'), ['f:a', 'f:b'])
    const again = await apply('ours', 'new', { a: '1', b: '1' })
    t.equal(again.status, 200)
    t.equal(again.body.metadata.resourceVersion, body.metadata.resourceVersion, 'the same again changes nothing')
  })

  await t.test('what is no longer applied goes, what others apply stays', async (t) => {
    await apply('ours', 'shared', { a: '1', b: '1', both: '1' })
    await apply('theirs', 'shared', { c: '1', both: '1' })
    const { body } = await apply('ours', 'shared', { a: '2' })
    t.strictSame(body.data, { a: '2', c: '1', both: '1' })
    t.strictSame(ownedBy(body, 'ours'), ['f:a'])
    t.strictSame(ownedBy(body, 'theirs'), ['f:both', 'f:c'])
    await apply('theirs', 'shared', { c: '1' })
    t.strictSame(await data('shared'), { a: '2', c: '1' }, 'gone with its last owner')
  })

  await t.test('labels too', async (t) => {
    const labelled = (labels: object) =>
      api.patch(`${at('labelled')}?fieldManager=ours`, 'apply', configMap('labelled', {}, { labels }))
    await labelled({ a: '1', b: '1' })
    await api.patch(at('labelled'), 'merge', { metadata: { labels: { own: '1' } } })
    t.strictSame((await labelled({ a: '1' })).body.metadata.labels, { a: '1', own: '1' })
  })

  await t.test('a conflict names field and owner, and changes nothing', async (t) => {
    await apply('ours', 'disputed', { a: '1', b: '1' })
    const { status, body } = await apply('theirs', 'disputed', { a: '2', c: '2' })
    t.equal(status, 409)
    t.match(body, { kind: 'Status', reason: 'Conflict', code: 409, message: /conflict with "ours": \.data\.a/ })
    const cause = { reason: 'FieldManagerConflict', message: 'conflict with "ours"', field: '.data.a' }
    t.strictSame(body.details.causes, [cause])
    t.strictSame(await data('disputed'), { a: '1', b: '1' })
  })

  await t.test('force takes the field over', async (t) => {
    const { status, body } = await apply('theirs', 'disputed', { a: '2' }, '&force=true')
    t.equal(status, 200)
    t.strictSame(body.data, { a: '2', b: '1' })
    t.strictSame(ownedBy(body, 'ours'), ['f:b'])
    t.strictSame(ownedBy(body, 'theirs'), ['f:a'])
    t.strictSame(
      (await apply('ours', 'disputed', { b: '1' })).body.data,
      { a: '2', b: '1' },
      'no longer ours to remove',
    )
  })

  await t.test('what is written otherwise is owned as well', async (t) => {
    await apply('ours', 'edited', { a: '1' })
    const { body } = await api.patch(`${at('edited')}?fieldManager=hand`, 'merge', { data: { a: '9', z: '9' } })
    t.strictSame(ownedBy(body, 'hand', 'Update'), ['f:a', 'f:z'])
    t.strictSame(ownedBy(body, 'ours'), [])
    const refused = await apply('ours', 'edited', { a: '1' })
    t.match(refused, { status: 409, body: { message: /conflict with "hand" using v1: \.data\.a/ } })
    t.strictSame((await apply('ours', 'edited', { a: '1' }, '&force=true')).body.data, { a: '1', z: '9' })
  })

  await t.test('a dry run answers what would be', async (t) => {
    const { status, body } = await apply('ours', 'edited', { a: '5' }, '&dryRun=All')
    t.match({ status, data: body.data }, { status: 200, data: { a: '5', z: '9' } })
    t.strictSame(await data('edited'), { a: '1', z: '9' })
    t.equal((await apply('ours', 'absent', { a: '5' }, '&dryRun=All')).status, 201)
    t.equal((await api.get(at('absent'))).status, 404)
  })

  await t.test('lists with a key are merged, lists without one are one field', async (t) => {
    const path = `${apps}/deployments/merged`
    const { template } = deployment('merged', 0).spec
    const sidecar = { ...template.spec.containers[0], name: 'sidecar' }
    const { replicas: _, ...spec } = deployment('merged', 0).spec
    const send = (manager: string, body: object) => api.patch(`${path}?fieldManager=${manager}`, 'apply', body)
    const identity = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'merged' } }
    t.equal((await send('ours', { ...identity, spec })).status, 201)
    const added = await send('theirs', { ...identity, spec: { template: { spec: { containers: [sidecar] } } } })
    const containers = (body: any) => body.spec.template.spec.containers.map((one: any) => one.name)
    t.strictSame(containers(added.body), ['web', 'sidecar'])
    t.strictSame(containers((await send('ours', { ...identity, spec })).body), ['web', 'sidecar'])
    const without = await send('theirs', { ...identity, spec: { minReadySeconds: 1 } })
    t.strictSame(containers(without.body), ['web'])

    const policy = (...types: string[]) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'whole' },
      spec: { podSelector: {}, policyTypes: types },
    })
    const policies = `${core.replace('/api/v1', '/apis/networking.k8s.io/v1')}/networkpolicies/whole?fieldManager=ours`
    await api.patch(policies, 'apply', policy('Ingress', 'Egress'))
    t.strictSame((await api.patch(policies, 'apply', policy('Egress'))).body.spec.policyTypes, ['Egress'])
  })

  await t.test('as YAML, and what is refused', async (t) => {
    const yaml = `# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata:\n  a: "1"\n`
    t.match(await api.patch(`${at('yaml')}?fieldManager=ours`, 'apply', yaml), {
      status: 201,
      body: { data: { a: '1' } },
    })
    const nobody = await api.patch(at('yaml'), 'apply', yaml)
    t.match(nobody, { status: 422, body: { message: /is required for apply patch/ } }, 'no manager')
    const owned = configMap('yaml', {}, { managedFields: [{ manager: 'x', operation: 'Apply' }] })
    t.match(await api.patch(`${at('yaml')}?fieldManager=ours`, 'apply', owned), { status: 400 })
    t.match(await api.patch(`${at('yaml')}?fieldManager=ours`, 'apply', configMap('other')), { status: 400 })
    const other = configMap('yaml', { a: '2' }, { uid: '00000000-0000-0000-0000-000000000000' })
    const stranger = await api.patch(`${at('yaml')}?fieldManager=ours`, 'apply', other)
    t.match(stranger, { status: 422, body: { reason: 'Invalid' } }, 'with a uid, only that one')
    const gone = configMap('absent', {}, { uid: '00000000-0000-0000-0000-000000000000' })
    t.match(await api.patch(`${at('absent')}?fieldManager=ours`, 'apply', gone), { status: 409 }, 'never a new one')
  })
}
