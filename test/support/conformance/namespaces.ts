/** The life of a namespace: it comes with what pods need, and takes along what is in it. */
import { randomBytes } from 'node:crypto'
import { configMap, pod } from './manifests.ts'
import { type Part, untilBody, untilGone } from './world.ts'

const finalizer = 'gemeentecloud.nl/conformance'

export const namespaces: Part = async (t, { api }) => {
  const name = `life-${randomBytes(4).toString('hex')}`
  const path = `/api/v1/namespaces/${name}`

  await t.test('it is active at once, and gets its service account and the authority', async (t) => {
    const metadata = { name, finalizers: [finalizer] }
    const made = await api.need('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
    t.match(made, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } })
    t.equal(made.metadata.labels['kubernetes.io/metadata.name'], name)
    await untilBody(api, `${path}/serviceaccounts/default`, 'the service account', () => true)
    const authority = await untilBody(api, `${path}/configmaps/kube-root-ca.crt`, 'the authority', () => true)
    t.match(authority.data['ca.crt'], /BEGIN CERTIFICATE/)
  })

  await t.test('while it ends it takes nothing new', async (t) => {
    await api.need('POST', `${path}/configmaps`, configMap('plain'))
    await api.need('POST', `${path}/configmaps`, configMap('held', {}, { finalizers: [finalizer] }))
    await api.need('POST', `${path}/pods`, pod('runs'))
    const { status, body } = await api.ask('DELETE', path)
    t.equal(status, 200)
    t.match(body, { kind: 'Namespace', metadata: { deletionTimestamp: String }, status: { phase: 'Terminating' } })
    const refused = await api.post(`${path}/configmaps`, configMap('late'))
    t.match(refused, { status: 403, body: { reason: 'Forbidden', message: /because it is being terminated/ } })
    t.match(refused.body.details, { name: 'late', kind: 'configmaps', causes: [{ reason: 'NamespaceTerminating' }] })
    const apply = await api.patch(`${path}/configmaps/late?fieldManager=x`, 'apply', configMap('late'))
    t.equal(apply.status, 403)
    await untilGone(api, `${path}/configmaps/plain`)
    await untilGone(api, `${path}/pods/runs`)
    await untilGone(api, `${path}/serviceaccounts/default`)
    t.match((await api.get(path)).body.status.phase, 'Terminating')
    t.equal((await api.ask('DELETE', path)).status, 200, 'to ask twice is no mistake')
  })

  await t.test('it says what it waits for, and is gone after its last object and its own finalizer', async (t) => {
    const waiting = await untilBody(api, path, 'what remains', ({ status }) => {
      const remaining = status.conditions?.find((one: any) => one.type === 'NamespaceFinalizersRemaining')
      return remaining?.status === 'True'
    })
    const { message } = waiting.status.conditions.find((one: any) => one.type === 'NamespaceFinalizersRemaining')
    t.match(message, finalizer)
    await api.patch(`${path}/configmaps/held`, 'merge', { metadata: { finalizers: null } })
    await untilBody(api, path, 'Kubernetes to be done', ({ spec }) => !spec.finalizers?.length)
    t.equal((await api.get(path)).status, 200, 'ours still holds it')
    await api.patch(path, 'merge', { metadata: { finalizers: null } })
    await untilGone(api, path)
    const again = await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    t.equal(again.status, 201, 'the name is free')
    t.equal((await api.ask('DELETE', path)).status, 200)
  })
}
