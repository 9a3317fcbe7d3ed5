/** Making and replacing objects: what the server fills in, optimistic concurrency, and its words of refusal. */
import { configMap, deployment } from './manifests.ts'
import type { Part } from './world.ts'

const failure = (code: number, reason: string) => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code },
})

export const writing: Part = async (t, { api, space }) => {
  const { name: namespace, core, apps } = await space(t)
  const path = `${core}/configmaps`

  await t.test('create', async (t) => {
    const { status, body } = await api.post(path, configMap('one', { a: '1' }))
    t.equal(status, 201)
    t.match(body, { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } })
    t.match(body.metadata, { name: 'one', namespace, uid: /^[0-9a-f-]{36}$/, resourceVersion: /^\d+$/ })
    t.match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    t.same((await api.get(`${path}/one`)).body, body)
  })

  await t.test('names', async (t) => {
    const make = () => api.need('POST', path, { ...configMap('', {}), metadata: { generateName: 'some-' } })
    const names = [(await make()).metadata.name, (await make()).metadata.name]
    for (const name of names) t.match(name, /^some-[a-z0-9]{5}$/)
    t.not(names[0], names[1])
    t.match(await api.post(path, { ...configMap(''), metadata: {} }), failure(422, 'Invalid'))
    const bad = await api.post(path, configMap('Not_A_Name'))
    t.match(bad, failure(422, 'Invalid'))
    t.match(bad.body.details, { name: 'Not_A_Name', kind: 'ConfigMap', causes: [{ field: 'metadata.name' }] })
  })

  await t.test('refusals', async (t) => {
    const again = await api.post(path, configMap('one'))
    t.match(again, failure(409, 'AlreadyExists'))
    t.match(again.body, { message: 'configmaps "one" already exists', details: { name: 'one', kind: 'configmaps' } })
    const absent = await api.get(`${path}/none`)
    t.match(absent, failure(404, 'NotFound'))
    t.match(absent.body, { message: 'configmaps "none" not found', details: { name: 'none', kind: 'configmaps' } })
    const nowhere = await api.post('/api/v1/namespaces/none/configmaps', configMap('one'))
    t.match(nowhere, failure(404, 'NotFound'))
    t.match(nowhere.body.message, /namespaces "none" not found/)
    t.match(await api.post(path, configMap('x', {}, { namespace: 'default' })), failure(400, 'BadRequest'))
    t.match(await api.post(path, { ...configMap('x'), kind: 'Secret' }), failure(400, 'BadRequest'))
    t.match(await api.ask('POST', path, { body: '{"kind":' }), failure(400, 'BadRequest'))
    const contentType = 'text/plain'
    t.match(await api.ask('POST', path, { body: 'x', contentType }), failure(415, 'UnsupportedMediaType'))
    t.match(await api.ask('PUT', `${path}/none`, { body: configMap('none') }), failure(404, 'NotFound'))
    t.match(await api.ask('PUT', `${path}/one`, { body: configMap('two') }), failure(400, 'BadRequest'))
    t.match(await api.ask('POST', `${path}/one`, { body: configMap('one') }), failure(405, 'MethodNotAllowed'))
  })

  await t.test('replace, with the version that was read', async (t) => {
    const before = (await api.get(`${path}/one`)).body
    const put = (body: object) => api.ask('PUT', `${path}/one`, { body })
    const { status, body: after } = await put({ ...before, data: { a: '2' } })
    t.equal(status, 200)
    t.same(after.data, { a: '2' })
    t.equal(after.metadata.uid, before.metadata.uid)
    t.ok(BigInt(after.metadata.resourceVersion) > BigInt(before.metadata.resourceVersion))

    const late = await put({ ...before, data: { a: '3' } })
    t.match(late, failure(409, 'Conflict'))
    t.match(late.body.message, /^Operation cannot be fulfilled on configmaps "one": the object has been modified/)
    const same = await put(after)
    t.equal(same.body.metadata.resourceVersion, after.metadata.resourceVersion, 'nothing changed')
    const stranger = { ...after, metadata: { ...after.metadata, uid: '00000000-0000-0000-0000-000000000000' } }
    t.match(await put(stranger), failure(409, 'Conflict'))
    t.equal((await put(configMap('one', { a: '4' }))).status, 200, 'without a version it is not asked for')
  })

  await t.test('a dry run changes nothing', async (t) => {
    const { status, body } = await api.post(`${path}?dryRun=All`, configMap('dry', { a: '1' }))
    t.equal(status, 201)
    t.match(body.metadata, { name: 'dry', uid: String })
    t.equal((await api.get(`${path}/dry`)).status, 404)
  })

  await t.test('generation counts the changes of what is wanted', async (t) => {
    const made = await api.need('POST', `${apps}/deployments`, deployment('counted', 0))
    t.equal(made.metadata.generation, 1)
    const change = async (body: object) =>
      (await api.patch(`${apps}/deployments/counted`, 'merge', body)).body.metadata.generation
    t.equal(await change({ metadata: { labels: { a: 'b' } } }), 1)
    t.equal(await change({ spec: { minReadySeconds: 1 } }), 2)
  })

  await t.test('status is written apart from the rest', async (t) => {
    const spaces = `/api/v1/namespaces/${namespace}`
    const whole = await api.patch(spaces, 'merge', { status: { phase: 'Terminating' } })
    t.match(whole, { status: 200, body: { status: { phase: 'Active' } } })
    const conditions = [{ type: 'Tested', status: 'True', reason: 'Here', message: '', lastTransitionTime: null }]
    const part = await api.patch(`${spaces}/status`, 'merge', {
      metadata: { labels: { a: 'b' } },
      status: { conditions },
    })
    t.match(part, { status: 200, body: { status: { conditions: [{ type: 'Tested', status: 'True' }] } } })
  })
}
