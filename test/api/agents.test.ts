/** Agents: one token, one use, one datacenter, one key; renewal; a person's word after expiry; and two authorities at once. */
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { createKey, createRequest } from '../../services/shared/x509.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { storeDigest } from '../support/store-digest.ts'

const certificates = 'agents/certificates'
const newRequest = () => createRequest(createKey(), 'agent')

async function joinToken(api: TestApi, datacenterId: string, body: object = {}): Promise<string> {
  const answer = await api.call('provider', 'POST', `datacenters/${datacenterId}/join-tokens`, { body })
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body.token
}

const ask = (api: TestApi, csr: string, token?: string) =>
  api.call('nobody', 'POST', certificates, { body: { csr, ...(token !== undefined && { token }) } })

/** Moves the end of a datacenter's certificate to so many days from now. */
const daysLeft = (api: TestApi, datacenterId: string, days: number) =>
  api.kit.database.query(`update agents set not_after = now() + make_interval(days => $2) where datacenter_id = $1`, [
    datacenterId,
    days,
  ])

t.test('a token joins once: the certificate names the datacenter, and nothing of the token is kept', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter({ slug: 'parkstad' })
  const token = await joinToken(api, id)
  t.match(token, /^gcj_[0-9a-z]{52}$/)
  const csr = await newRequest()
  const { status, body } = await ask(api, csr, token)
  t.equal(status, 200, JSON.stringify(body))
  t.match(body, { datacenterId: id, slug: 'parkstad', tunnels: ['tls://desk.example:8082'] })
  const read = new X509Certificate(body.certificate)
  t.match(read.subject, new RegExp(`^CN=${id}\nO=gemeentecloud-agents$`))
  t.ok(read.verify(new X509Certificate(body.authorities[0]).publicKey))
  const left = (Date.parse(body.expiresAt) - Date.now()) / 86_400_000
  t.ok(left > 89 && left <= 90, `${left} days`)
  t.ok(Date.parse(body.renewAt) < Date.parse(body.expiresAt) - 30 * 86_400_000, 'renewed long before an alarm')

  const datacenter = (await api.call('provider', 'GET', `datacenters/${id}`)).body
  t.match(datacenter, { state: 'checking', connection: { kind: 'agent', agent: { expiresAt: undefined } } })
  t.same(datacenter.connection.agent, { version: null, clockSkewSeconds: null, certificateExpiresAt: body.expiresAt })
  t.same((await api.call('consumer', 'GET', `datacenters/${id}`)).body.connection, { kind: 'agent' })
  const rows = await api.kit.database.query<{ text: string }>(
    'select row_to_json(j)::text as text from join_tokens j union all select row_to_json(e)::text from events e',
  )
  t.notMatch(rows.map(({ text }) => text).join('\n'), token)
  const types = (await api.eventsOf('provider', id, 4)).map(({ type }: { type: string }) => type)
  t.same(types, ['datacenter.registered', 'offer.opened', 'join-token.issued', 'agent.joined', 'datacenter.connected'])
})

t.test('after a lost reply the same key gets the same answer, and another key nothing', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter()
  const token = await joinToken(api, id)
  const csr = await newRequest()
  const first = await ask(api, csr, token)
  const before = await storeDigest(api.kit.database)
  t.same((await ask(api, csr, token)).body, first.body, 'with the token')
  t.same((await ask(api, csr)).body, first.body, 'and without')
  const stranger = await ask(api, await newRequest(), token)
  t.match(stranger, { status: 401, body: { type: /unauthenticated$/, detail: /has been used/ } })
  t.match(await ask(api, await newRequest()), { status: 401, body: { detail: /No agent has this key/ } })
  t.same(await storeDigest(api.kit.database), before, 'and nothing of it is written')
})

t.test('a token that is expired, unknown, or of a datacenter that was withdrawn is worth nothing', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter()
  const expired = await joinToken(api, id, { expiresInHours: 1 })
  await api.kit.database.query(`update join_tokens set expires_at = now() - interval '1 second'`)
  const token = await joinToken(api, id)
  const before = await storeDigest(api.kit.database)
  t.match(await ask(api, await newRequest(), expired), { status: 401, body: { detail: /has expired/ } })
  t.match(await ask(api, await newRequest(), `gcj_${'0'.repeat(52)}`), {
    status: 401,
    body: { detail: /none of ours/ },
  })
  t.same(await storeDigest(api.kit.database), before)
  await api.kit.database.query(`update datacenters set state = 'withdrawn' where id = $1`, [id])
  t.match(await ask(api, await newRequest(), token), { status: 409, body: { detail: /withdrawn/ } })
  const refused = await api.call('provider', 'POST', `datacenters/${id}/join-tokens`, { body: {} })
  t.match(refused, { status: 409, body: { detail: /withdrawn/ } })
  for (const expiresInHours of [0, 169]) {
    const wrong = await api.call('provider', 'POST', `datacenters/${id}/join-tokens`, { body: { expiresInHours } })
    t.equal(wrong.status, 400, `${expiresInHours} hours`)
  }
})

t.test(
  'a second agent for a name is refused and the first undisturbed, unless its token says that it replaces',
  async (t) => {
    const api = await testApi(t, { realConnections: true })
    const id = await api.activeDatacenter()
    const first = await newRequest()
    const given = (await ask(api, first, await joinToken(api, id))).body
    const token = await joinToken(api, id)
    const before = await storeDigest(api.kit.database)
    const second = await newRequest()
    t.match(await ask(api, second, token), {
      status: 409,
      body: { type: /state-conflict$/, detail: /another key; it stays/ },
    })
    t.same(await storeDigest(api.kit.database), before, 'the token is not used up either')
    t.same((await ask(api, first)).body, given)

    const replacing = await joinToken(api, id, { replacesAgent: true })
    t.equal((await ask(api, second, replacing)).status, 200)
    t.equal((await ask(api, first)).status, 401, 'the key of the one before is worth nothing now')
  },
)

t.test('a key belongs to one datacenter', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const [one, other] = [await api.activeDatacenter(), await api.activeDatacenter()]
  const csr = await newRequest()
  await ask(api, csr, await joinToken(api, one))
  const token = await joinToken(api, other, { replacesAgent: true })
  t.match(await ask(api, csr, token), { status: 409, body: { detail: /another datacenter/ } })
  t.equal((await ask(api, await newRequest(), token)).status, 200, 'the token is still good')
})

t.test('of many who come with one token at once, one has it', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter()
  const token = await joinToken(api, id)
  const requests = await Promise.all(Array.from({ length: 8 }, newRequest))
  const answers = await Promise.all(requests.map((csr) => ask(api, csr, token)))
  t.same(answers.map(({ status }) => status).toSorted(), [200, ...Array(7).fill(401)])

  const another = await api.activeDatacenter()
  const same = await newRequest()
  const once = await joinToken(api, another)
  const repeated = await Promise.all(Array.from({ length: 8 }, () => ask(api, same, once)))
  t.same(new Set(repeated.map(({ status }) => status)), new Set([200]))
  t.equal(new Set(repeated.map(({ body }) => body.certificate)).size, 1, 'eight times the same key: one certificate')
  const joined = (await api.eventsOf('provider', another, 5)).filter(({ type }) => type === 'agent.joined')
  t.equal(joined.length, 1)
})

t.test('a certificate is renewed by its key when half of it is over, and not before', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter()
  const csr = await newRequest()
  const first = (await ask(api, csr, await joinToken(api, id))).body
  await daysLeft(api, id, 46)
  t.equal((await ask(api, csr)).body.certificate, first.certificate)
  await daysLeft(api, id, 44)
  const renewed = (await ask(api, csr)).body
  t.not(renewed.certificate, first.certificate)
  t.ok(Date.parse(renewed.expiresAt) > Date.now() + 89 * 86_400_000)
  t.equal((await ask(api, csr)).body.certificate, renewed.certificate)
  t.equal((await api.call('provider', 'GET', `datacenters/${id}`)).body.connection.kind, 'agent')
  t.ok((await api.eventsOf('provider', id, 6)).some(({ type }) => type === 'agent.certificate-renewed'))
})

t.test('when it has run out the key waits for a person, and the word counts once', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const id = await api.activeDatacenter({ slug: 'parkstad' })
  const csr = await newRequest()
  await ask(api, csr, await joinToken(api, id))
  await daysLeft(api, id, -1)
  const waiting = await ask(api, csr)
  t.match(waiting, { status: 202, body: { datacenterId: id, slug: 'parkstad', enrolmentId: /^enr_/ } })
  const before = await storeDigest(api.kit.database)
  t.same((await ask(api, csr)).body, waiting.body, 'asking again changes nothing')
  t.same(await storeDigest(api.kit.database), before)
  const { enrolmentId } = waiting.body
  const [listed] = (await api.call('provider', 'GET', 'agents/enrolments')).body.items
  t.match(listed, { id: enrolmentId, datacenterId: id, slug: 'parkstad', state: 'waiting', key: /^[0-9a-f]{64}$/ })
  const stranger = await api.newParty('provider')
  t.same((await api.call(stranger, 'GET', 'agents/enrolments')).body.items, [])

  const approval = `agents/enrolments/${enrolmentId}/approvals`
  t.equal((await api.call(stranger, 'POST', approval)).status, 404)
  t.match(await api.call('provider', 'POST', approval), { status: 200, body: { state: 'approved' } })
  t.match(await api.call('provider', 'POST', approval), { status: 409, body: { detail: /approved already/ } })
  const again = await ask(api, csr)
  t.equal(again.status, 200)
  t.same((await ask(api, csr)).body, again.body)
  await daysLeft(api, id, -1)
  const later = await ask(api, csr)
  t.equal(later.status, 202)
  t.not(later.body.enrolmentId, enrolmentId, 'the next time somebody is asked again')
  t.equal((await ask(api, csr, await joinToken(api, id))).status, 200, 'a new join token is a word too')
  t.equal((await api.call('provider', 'POST', `agents/enrolments/${later.body.enrolmentId}/approvals`)).status, 409)
})

t.test('two authorities are trusted while one takes over from the other', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const [one, other] = [await api.activeDatacenter(), await api.activeDatacenter()]
  const csr = await newRequest()
  const before = (await ask(api, csr, await joinToken(api, one))).body
  t.equal(before.authorities.length, 1)
  const { status, body: authority } = await api.call('loket', 'POST', 'agents/authorities')
  t.equal(status, 201)
  const after = (await ask(api, csr)).body
  const isOfNew = (certificate: string) =>
    new X509Certificate(certificate).verify(new X509Certificate(authority.certificate).publicKey)
  t.ok(isOfNew(after.certificate), 'who asks has a certificate of the new one')
  t.equal((await ask(api, csr)).body.certificate, after.certificate, 'once')
  t.same(after.authorities, [before.authorities[0], authority.certificate], 'and both are trusted')
  const issued = (await ask(api, await newRequest(), await joinToken(api, other))).body
  t.ok(isOfNew(issued.certificate))

  const day = (count: number) =>
    api.kit.database.query(`update authorities set retires_at = retires_at - make_interval(days => $1)`, [count])
  await day(89)
  t.equal((await ask(api, csr)).body.authorities.length, 2, 'for as long as anything lives that the first has issued')
  await day(32)
  t.same((await ask(api, csr)).body.authorities, [authority.certificate])
})

t.test('what is no request for a certificate is refused before the store is asked', async (t) => {
  const api = await testApi(t)
  const token = await joinToken(api, await api.activeDatacenter())
  const before = await storeDigest(api.kit.database)
  const good = await newRequest()
  const broken = good.replace(/.(?=[^\n]*\n-----END)/, (one) => (one === 'A' ? 'B' : 'A'))
  for (const csr of ['x', broken, `${good}${good}`, good.replaceAll('REQUEST', 'OTHER')])
    t.match(await ask(api, csr, token), { status: 400, body: { errors: [{ pointer: '/csr' }] } })
  t.same(await storeDigest(api.kit.database), before)
})
