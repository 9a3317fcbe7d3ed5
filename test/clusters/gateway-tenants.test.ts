/** Two tenants at the gateway: whatever one asks about the other's, he is told what he would be told of nothing at all. */
import t from 'tap'
import { type Response, setGatewayStage, type Tenant } from './gateway-stage.ts'
import { missingForClusters } from './start.ts'

t.setTimeout(20 * 60_000)
const skip = (await missingForClusters()) ?? false

/** Stands in the other's secret, and in nothing that the first may see. */
const secretWord = 'geheim-van-de-ander'

interface Attempt {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly headers?: Record<string, string>
}

const merge = { 'content-type': 'application/merge-patch+json' }
const apply = { 'content-type': 'application/apply-patch+yaml' }
const socket = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==',
}
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
const review = (namespace: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectRulesReview',
  spec: { namespace },
})

/** All that can be asked of a namespace by its name. */
const within = (space: string): Attempt[] => {
  const core = `/api/v1/namespaces/${space}`
  const apps = `/apis/apps/v1/namespaces/${space}`
  return [
    { method: 'GET', path: core },
    { method: 'PATCH', path: core, body: { metadata: { labels: { a: 'b' } } }, headers: merge },
    { method: 'PATCH', path: `${core}?fieldManager=x`, body: { metadata: { name: space } }, headers: apply },
    { method: 'DELETE', path: core },
    { method: 'PUT', path: `${core}/finalize`, body: { metadata: { name: space } } },
    { method: 'GET', path: `${core}/status` },
    { method: 'GET', path: `${core}/secrets` },
    { method: 'GET', path: `${core}/secrets?watch=true` },
    { method: 'GET', path: `${core}/secrets?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan` },
    { method: 'GET', path: `${core}/secrets?limit=1` },
    { method: 'GET', path: `${core}/secrets/sleutel` },
    { method: 'GET', path: `${core}/secrets?fieldSelector=metadata.name%3Dsleutel` },
    { method: 'POST', path: `${core}/secrets`, body: secret('nieuw') },
    { method: 'PUT', path: `${core}/secrets/sleutel`, body: secret('sleutel') },
    { method: 'PATCH', path: `${core}/secrets/sleutel`, body: { data: {} }, headers: merge },
    {
      method: 'PATCH',
      path: `${core}/secrets/sleutel?fieldManager=x&force=true`,
      body: secret('sleutel'),
      headers: apply,
    },
    { method: 'DELETE', path: `${core}/secrets/sleutel` },
    { method: 'DELETE', path: `${core}/secrets` },
    { method: 'DELETE', path: `${core}/secrets?labelSelector=a%3Db` },
    { method: 'GET', path: `${core}/pods/web/log` },
    { method: 'POST', path: `${core}/pods/web/exec?command=sh&stdin=true` },
    { method: 'GET', path: `${core}/pods/web/exec?command=sh`, headers: socket },
    { method: 'GET', path: `${core}/pods/web/portforward`, headers: socket },
    { method: 'POST', path: `${core}/pods/web/eviction`, body: {} },
    { method: 'POST', path: `${core}/serviceaccounts/default/token`, body: {} },
    { method: 'GET', path: `${core}/services/web/proxy` },
    { method: 'GET', path: `${core}/events` },
    { method: 'GET', path: `${apps}/deployments` },
    { method: 'PATCH', path: `${apps}/deployments/web/scale`, body: { spec: { replicas: 0 } }, headers: merge },
    { method: 'POST', path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${space}/rolebindings`, body: {} },
    { method: 'POST', path: `/apis/authorization.k8s.io/v1/namespaces/${space}/localsubjectaccessreviews`, body: {} },
    { method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', body: review(space) },
  ]
}

/** Ways around the name, each of which is refused or finds nothing. */
const around: Attempt[] = [
  { method: 'GET', path: '/api/v1/secrets' },
  { method: 'GET', path: '/api/v1/secrets?labelSelector=' },
  { method: 'GET', path: '/api/v1/secrets?fieldSelector=metadata.namespace%3Dvan-twee' },
  { method: 'GET', path: '/api/v1/secrets?labelSelector=a%3Db&labelSelector=' },
  { method: 'GET', path: '/api/v1/secrets?fieldSelector=metadata.namespace%21%3Dvan-een' },
  {
    method: 'GET',
    path: '/api/v1/secrets?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJ2YW4tdHdlZS8ifQ',
  },
  { method: 'GET', path: '/api/v1/secrets?namespace=van-twee' },
  { method: 'GET', path: '/api/v1/namespaces?labelSelector=gemeentecloud.nl%2Fhosting' },
  { method: 'GET', path: '/api/v1/namespaces/van-een/../van-twee/secrets' },
  { method: 'GET', path: '/api/v1/namespaces/van-een/%2e%2e/van-twee/secrets' },
  { method: 'GET', path: '/api/v1/namespaces/van-een%2f..%2fvan-twee/secrets' },
  { method: 'GET', path: '/api/v1//namespaces/van-twee/secrets' },
  { method: 'GET', path: '/api/v1/namespaces/van-een\\..\\van-twee/secrets' },
  { method: 'GET', path: '/api/v1/namespaces/van-twee;x/secrets' },
  { method: 'GET', path: '/api/v1/watch/namespaces/van-twee/secrets' },
  { method: 'GET', path: '/api/v1/proxy/namespaces/van-twee/pods/web' },
  { method: 'DELETE', path: '/api/v1/secrets' },
  { method: 'GET', path: '/api/v1/nodes/breda-a/proxy/pods' },
  { method: 'GET', path: '/apis/rbac.authorization.k8s.io/v1/clusterroles' },
  { method: 'GET', path: '/api/v1/persistentvolumes' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/debug/pprof' },
  { method: 'GET', path: '/api/v1/namespaces/van-twee/secrets', headers: { 'impersonate-user': 'system:admin' } },
  { method: 'GET', path: '/api/v1/secrets', headers: { 'Impersonate-Group': 'system:masters' } },
  { method: 'GET', path: '/api/v1/secrets', headers: { 'X-Remote-User': 'admin' } },
  { method: 'GET', path: '/api/v1/secrets', headers: { connection: 'authorization, keep-alive' } },
]

/** What is left when the name is taken out: for two names it must be the same. */
const shapeOf = ({ status, text }: Response, space: string) => `${status} ${text.replaceAll(space, 'NAME')}`

async function ask(tenant: Tenant, { method, path, body, headers }: Attempt): Promise<Response> {
  return tenant.call(method, path, { ...(body && { body }), ...(headers && { headers }) })
}

t.test('two tenants', { skip }, async (t) => {
  const stage = await setGatewayStage(t, 'agent')
  const [one, two] = [
    await stage.tenant(stage.consumer),
    await stage.tenant(await stage.newConsumer('00000099000000000203')),
  ] as const
  await Promise.all([stage.host(one, 'van-een', 'breda'), stage.host(two, 'van-twee', 'breda')])
  const data = { woord: Buffer.from(secretWord).toString('base64') }
  await two.given({ ...secret('sleutel'), data }, '-n', 'van-twee', 'apply', '-f', '-')
  const before = await two.kubectl('-n', 'van-twee', 'get', 'secret', 'sleutel', '-o', 'json')

  await t.test('what one may do himself comes through, so that the rest is no accident', async (t) => {
    for (const attempt of [{ method: 'GET', path: '/api/v1/namespaces/van-twee/secrets/sleutel' }])
      t.match(await ask(two, attempt), { status: 200, body: { data } })
    t.match(await ask(one, { method: 'GET', path: '/api/v1/namespaces/van-een/secrets' }), { status: 200 })
  })

  await t.test('by name: as if there were no such namespace, in status and in words', async (t) => {
    const attempts = within('van-twee')
    t.ok(attempts.length >= 30)
    for (const [index, attempt] of attempts.entries()) {
      const other = await ask(one, attempt)
      const nothing = await ask(one, within('er-is-niets')[index] as Attempt)
      const what = `${attempt.method} ${attempt.path}`
      t.equal(shapeOf(other, 'van-twee'), shapeOf(nothing, 'er-is-niets'), what)
      if (!attempt.path.includes('/selfsubjectrulesreviews')) t.ok([403, 404].includes(other.status), `${other.status}`)
      t.notMatch(other.text, new RegExp(`${secretWord}|${data.woord}`))
    }
  })

  await t.test('no member is asked for either', async (t) => {
    const asked = async () => {
      const metric = await stage.registry.getSingleMetric('gemeentecloud_gateway_upstream_duration_seconds')?.get()
      const counts = (metric?.values ?? []) as { metricName?: string; value: number }[]
      return counts
        .filter(({ metricName }) => metricName?.endsWith('_count'))
        .reduce((sum, { value }) => sum + value, 0)
    }
    const count = await asked()
    t.ok(count > 0, 'what is counted are the requests to datacenters')
    for (const space of ['van-twee', 'er-is-niets']) for (const attempt of within(space)) await ask(one, attempt)
    t.equal(await asked(), count)
  })

  await t.test('around the name', async (t) => {
    for (const attempt of around) {
      const answer = await ask(one, attempt)
      const what = `${attempt.method} ${attempt.path} ${Object.keys(attempt.headers ?? {})}`
      t.notMatch(answer.text, new RegExp(`${secretWord}|${data.woord}`), what)
      if (answer.status < 300) t.notMatch(answer.text, /van-twee/, `${what} answered ${answer.status}`)
    }
  })

  await t.test('a stranger learns nothing at all', async (t) => {
    const stranger = await stage.tenant({ ...two, id: 'vreemd', token: 'gc_een-token-dat-er-niet-is' })
    for (const attempt of [...within('van-twee'), ...around]) {
      const { status, text } = await ask(stranger, attempt)
      t.equal(status, 401, `${attempt.method} ${attempt.path}`)
      t.notMatch(text, /van-twee/)
    }
  })

  t.equal(await two.kubectl('-n', 'van-twee', 'get', 'secret', 'sleutel', '-o', 'json'), before, 'nothing has changed')
})
