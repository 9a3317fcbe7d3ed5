/** Who is let in, and what one is told about one's own rights. */
import { isDeepStrictEqual } from 'node:util'
import type { Part } from './world.ts'

const unauthorized = {
  status: 401,
  body: { kind: 'Status', status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 },
}

export const access: Part = async (t, { api, client }) => {
  await t.test('without a token, and with a wrong one', async (t) => {
    t.match(await api.ask('GET', '/api/v1/namespaces', { token: null }), unauthorized)
    t.match(await api.ask('GET', '/api/v1/namespaces', { token: 'wrong' }), unauthorized)
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'stolen' } }
    t.match(await api.ask('POST', '/api/v1/namespaces', { token: 'wrong', body }), unauthorized)
    t.equal((await api.get('/api/v1/namespaces/stolen')).status, 404)
  })

  await t.test('reviews', async (t) => {
    const resourceAttributes = { verb: 'create', resource: 'resourcequotas', namespace: 'default' }
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    }
    const { status, body } = await api.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)
    t.equal(status, 201)
    t.match(body, { kind: 'SelfSubjectAccessReview', spec: { resourceAttributes }, status: { allowed: true } })
    t.match(await client.create(review), { status: { allowed: true } }, 'as the checks of a new datacenter ask')
    const rules = await api.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: 'default' },
    })
    t.match(rules, { status: 201, body: { status: { incomplete: false, nonResourceRules: Array } } })
    const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
    t.ok(rules.body.status.resourceRules.some((rule: object) => isDeepStrictEqual(rule, all)))
  })
}
