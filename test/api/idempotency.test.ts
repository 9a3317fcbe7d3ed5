/** Idempotency keys beyond one request and its repeat: whose they are, how long they are kept, who wins a race. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { forgetKeys, selectAnswer } from '../../services/shared/db/idempotency.ts'
import { type TestApi, testApi } from '../support/api.ts'

const classes = { availability: 1, integrity: 1, confidentiality: 1 }
const register = (api: TestApi, as: Parameters<TestApi['call']>[0], slug: string, key: string) =>
  api.call(as, 'POST', 'systems', { body: { slug, name: slug, classes }, headers: { 'idempotency-key': key } })

t.test('a key belongs to the token that used it', async (t) => {
  const api = await testApi(t)
  const key = randomUUID()
  const stranger = await api.newParty('consumer')
  const mine = await register(api, 'consumer', 'zaak', key)
  const theirs = await register(api, stranger, 'zaak', key)
  t.equal(theirs.status, 201)
  t.not(theirs.body.id, mine.body.id)
  t.notOk(theirs.headers['idempotent-replayed'], 'nobody is shown the answer of somebody else')
})

t.test('a key belongs to one path and one body, however it is spaced', async (t) => {
  const api = await testApi(t)
  const key = randomUUID()
  const headers = { 'idempotency-key': key }
  await register(api, 'consumer', 'zaak', key)
  const spaced = JSON.stringify({ slug: 'zaak', name: 'zaak', classes }, null, 2)
  const again = await api.call('consumer', 'POST', 'systems', { payload: spaced, headers })
  t.equal(again.headers['idempotent-replayed'], 'true', 'blanks are no difference')
  const hosting = {
    name: 'x',
    systemId: again.body.id,
    components: [{ name: 'w', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }],
    fallback: { mode: 'none' },
  }
  t.equal((await api.call('consumer', 'POST', 'hostings', { body: hosting, headers })).status, 409, 'another path')
})

t.test('two bodies race for one key: one is carried out, the other is a conflict', async (t) => {
  const api = await testApi(t)
  for (let round = 0; round < 5; round++) {
    const key = randomUUID()
    const slugs = Array.from({ length: 6 }, (_, index) => `s${round}-${index}`)
    const answers = await Promise.all(slugs.map((slug) => register(api, 'consumer', slug, key)))
    t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409])
    for (const { body } of answers.filter(({ status }) => status === 409)) t.match(body.type, /idempotency-conflict$/)
  }
  t.equal((await api.kit.database.query('select 1 from systems')).length, 5)
})

t.test('an answer is kept until it is old enough, and then the key is free', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const key = randomUUID()
  const { body } = await register(api, 'consumer', 'zaak', key)
  const [row] = await database.query<{ principal: string; created_at: Date }>(
    'select principal, created_at from idempotency where key = $1',
    [key],
  )
  const { principal = '', created_at: at = new Date(0) } = row ?? {}
  t.match(await selectAnswer(database, principal, key), {
    status: 201,
    body: { id: body.id },
    headers: { etag: '"1"' },
  })
  await forgetKeys(database, at)
  t.ok(await selectAnswer(database, principal, key), 'exactly as old is not older')
  t.ok((await forgetKeys(database, new Date(at.getTime() + 1))) >= 1)
  t.equal(await selectAnswer(database, principal, key), undefined)
  t.equal((await register(api, 'consumer', 'klant', key)).status, 201)
})

t.test('PUT and DELETE repeat by themselves, and with a key the first answer is told again', async (t) => {
  const api = await testApi(t)
  const systemId = (await register(api, 'consumer', 'zaak', randomUUID())).body.id
  const components = [{ name: 'w', replicas: 1, requests: { cpu: '1', memory: '1Gi' } }]
  const body = { name: 'x', systemId, components, fallback: { mode: 'none' } }
  const { id } = (await api.call('consumer', 'POST', 'hostings', { body })).body
  const headers = { 'idempotency-key': randomUUID() }
  const first = await api.call('consumer', 'DELETE', `hostings/${id}`, { headers })
  const again = await api.call('consumer', 'DELETE', `hostings/${id}`, { headers })
  t.same([first.status, again.status, again.headers['idempotent-replayed']], [202, 202, 'true'])
  t.same(again.body, first.body)
  t.equal(
    (await api.call('consumer', 'DELETE', `hostings/${id}`)).headers.etag,
    first.headers.etag,
    'without a key: unchanged',
  )
})
