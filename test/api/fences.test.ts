/** An external fence proves that a silent datacenter is off: asked until it answers, and believed no further. */
import t from 'tap'
import { at, colleague, type FallbackStage, fallbackStage } from '../support/fallback-stage.ts'
import { type FenceServer, fenceServer } from '../support/fence-server.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const token = 'a-token-of-the-fence'
const fencePlease = { kind: 'fence', statement: 'niemand kan erbij: laat de stroom eraf halen' }
const attested = { kind: 'attested', statement: 'ter plaatse gezien: alles staat uit' }
const why = { reason: 'het datacenter zwijgt' }
const off = [200, { state: 'fenced', proof: 'pdu 7: both feeds are off' }] as const

const declare = (stage: FallbackStage, id: string, { url, certificateAuthority }: FenceServer) =>
  stage.api.call('provider', 'PUT', `datacenters/${id}/fence`, { body: { url, token, certificateAuthority } })
const confirm = (stage: FallbackStage, id: string, body: object, as: any = 'loket') =>
  stage.api.call(as, 'POST', `operations/${id}/confirmations`, { body })
const read = async (stage: FallbackStage, id: string) => (await stage.api.call('loket', 'GET', `operations/${id}`)).body
const inState = (stage: FallbackStage, id: string, state: string) =>
  until(async () => (await read(stage, id)).state === state, `it is ${state}`)

/** A pinned hosting whose site is silent, and an operation that waits for a word. */
async function silent(t: Parameters<typeof fallbackStage>[0], fallback: object = { mode: 'cold' }) {
  const stage = await fallbackStage(t)
  const stop = stage.lead()
  const { id, ...hosting } = await stage.host('vast', fallback)
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(id, from)
  stage.sites.site(from).kill()
  stage.sites.site(from).cut()
  const { database } = stage.api.kit
  await database.query(`update datacenters set contact = 'unreachable' where id = $1`, [from])
  const lost = 'select 1 from datacenters where id = $1 and lost_since is not null'
  await until(async () => (await database.query(lost, [from])).length === 1, 'it is lost')
  const made = await stage.api.call('consumer', 'POST', `hostings/${id}/failovers`, { body: why })
  t.match(made.body.plan, { method: 'proof' })
  return { stage, stop, id, from, to, operation: made.body.id as string, fence: await fenceServer(t) }
}

t.test(
  'asked again until it has an answer, also by the next leader; then the hosting runs where it falls back to',
  async (t) => {
    const { stage, stop, id, from, to, operation, fence } = await silent(t)
    t.match((await confirm(stage, operation, fencePlease)).body, {
      errors: [{ pointer: '/kind', message: /has none/ }],
    })
    t.equal((await declare(stage, from, fence)).status, 200)
    fence.answers = ['cut', [503, {}], [202, { state: 'pending' }]]
    t.match((await confirm(stage, operation, fencePlease)).body, { state: 'fencing', steps: [{ name: 'confirmed' }] })
    await until(() => fence.asked.length >= 4, 'it is asked')
    t.match(await read(stage, operation), { state: 'fencing', outcome: /its fence/ })
    t.equal((await stage.row(id))?.holder, from, 'nothing moves before it has answered')
    await stop()
    stage.lead()
    const before = fence.asked.length
    await until(() => fence.asked.length > before, 'the next leader asks')
    fence.answers = [off]
    await stage.running(id, to)
    const slug = Object.entries(stage.datacenters).find(([, one]) => one === from)?.[0]
    t.match(await read(stage, operation), {
      confirmations: [
        { kind: 'fence' },
        { by: `fence:${slug}`, kind: 'fenced', statement: 'pdu 7: both feeds are off' },
      ],
      steps: [{ name: 'confirmed' }, { name: 'fenced', note: 'fenced' }],
      outcome: null,
    })
    t.equal(new Set(fence.asked.map(({ body }) => JSON.stringify(body))).size, 1, 'it was one request all the time')
    const [{ method, headers, body }] = fence.asked as [any]
    t.match({ method, body }, { method: 'POST', body: { datacenter: slug, fence: /^fnc_/ } })
    t.match(headers, { authorization: `Bearer ${token}`, 'idempotency-key': body.fence })
    const events = await stage.api.eventsOf('loket', from, 3)
    const told = events.filter(({ type }) => type.startsWith('datacenter.fence'))
    t.match(told, [{ type: 'datacenter.fence-declared' }, { type: 'datacenter.fenced', data: { operations: 1 } }])
    t.notMatch(JSON.stringify(events), token)
    t.same(stage.sites.doubles, [])
    t.same(await miscounted(stage.api.kit.database), [])
  },
)

t.test('a fence that cannot leaves it to people, and four eyes are two', async (t) => {
  const { stage, from, to, id, operation, fence } = await silent(t, { mode: 'cold', fourEyes: true })
  const other = await colleague(stage)
  await declare(stage, from, fence)
  fence.answers = [[200, { state: 'failed', reason: 'the switch does not answer' }]]
  t.match((await confirm(stage, operation, fencePlease)).body, { state: 'awaiting-confirmation' }, 'one is too few')
  t.equal(fence.asked.length, 0)
  await confirm(stage, operation, fencePlease, other)
  await until(() => fence.asked.length > 0, 'it is asked')
  await inState(stage, operation, 'awaiting-confirmation')
  t.match(await read(stage, operation), { confirmations: [], steps: [], outcome: 'the switch does not answer' })
  t.equal((await stage.row(id))?.holder, from)
  await confirm(stage, operation, attested)
  await confirm(stage, operation, attested, other)
  await stage.running(id, to)
})

t.test('what is not lost is not cut off, and what is heard again is for nobody to know', async (t) => {
  const { stage, stop, from, id, operation, fence } = await silent(t)
  await declare(stage, from, fence)
  await stop()
  fence.answers = [[202, { state: 'pending' }]]
  t.match((await confirm(stage, operation, fencePlease)).body, { state: 'fencing' })
  stage.lead()
  // A desk that has just begun has heard nobody: what was lost for the one before says nothing to it.
  await until(async () => /not lost yet/.test((await read(stage, operation)).outcome ?? ''), 'it waits')
  await until(() => fence.asked.length > 0, 'it is asked once the site is lost')
  stage.sites.site(from).mend()
  await inState(stage, operation, 'aborted')
  fence.answers = [off]
  t.match((await read(stage, operation)).outcome, /heard again/)
  t.match(await stage.row(id), { holder: from, over: undefined })
  const { database } = stage.api.kit
  const open = `select 1 from fence_requests where state = 'asking'`
  await until(async () => (await database.query(open)).length === 0, 'its request is closed')
  t.equal((await stage.row(id))?.holder, from)
})

t.test('what was called off proves nothing, and what comes after it asks anew', async (t) => {
  const { stage, from, id, to, operation, fence } = await silent(t)
  await declare(stage, from, fence)
  fence.answers = [[202, { state: 'pending' }]]
  await confirm(stage, operation, fencePlease)
  await until(() => fence.asked.length > 0, 'it is asked')
  const first = fence.asked[0]?.body.fence
  await stage.api.call('loket', 'POST', `operations/${operation}/aborts`, { body: why })
  const { database } = stage.api.kit
  t.same(await database.query(`select 1 from fence_requests where state = 'asking'`), [], 'closed with it')
  const again = await stage.api.call('consumer', 'POST', `hostings/${id}/failovers`, { body: why })
  fence.answers = [off]
  await confirm(stage, again.body.id, fencePlease)
  await stage.running(id, to)
  t.not(fence.asked.at(-1)?.body.fence, first)
  t.same(stage.sites.doubles, [])
})

t.test('a fence that speaks otherwise, or ends without a word, is asked again', async (t) => {
  const { stage, from, to, id, operation, fence } = await silent(t)
  await declare(stage, from, fence)
  fence.answers = ['upgrade', 'cut', [302, {}, { location: 'https://192.0.2.7/' }], [200, { state: 'fenced' }], off]
  await confirm(stage, operation, fencePlease)
  await stage.running(id, to)
  t.equal(fence.asked.length, 5)
})

t.test('where it may be, and who says so', async (t) => {
  const stage = await fallbackStage(t)
  const fence = await fenceServer(t)
  const id = stage.datacenters['noord'] ?? ''
  const put = (body: object, as: any = 'provider') => stage.api.call(as, 'PUT', `datacenters/${id}/fence`, { body })
  const level = (to: number) =>
    stage.api.call('provider', 'PUT', `datacenters/${id}/fencing`, { body: { level: to, stopSeconds: 5 } })
  t.match((await level(3)).body, { errors: [{ pointer: '/level' }] }, 'level 3 is a fence that can be asked')
  for (const url of [
    'http://fence.test/',
    'https://169.254.169.254/latest',
    'https://a:b@fence.test/',
    'https://[::1]/',
  ])
    t.equal((await put({ url, token })).status, 400, url)
  const said = async (body: object) => (await put({ url: fence.url, token, ...body })).body.errors[0]
  t.match(await said({ url: 'http://fence.test/' }), {
    pointer: '/url',
    message: /^must be an address with https, .* such as \S+, and is "http:\/\/fence\.test\/"$/,
  })
  t.match(await said({ url: 'https://a:b@fence.test/' }), { message: /and is "https:\/\/…@fence.test\/"$/ })
  t.match(await said({ token: 'kort geheim' }), {
    pointer: '/token',
    message: /^must be 16 to 512 letters, .* and is something else, of 11 characters$/,
  })
  t.match(await said({ certificateAuthority: 'none' }), { pointer: '/certificateAuthority', message: /PEM, from its/ })
  t.equal((await put({ url: fence.url, token }, await stage.api.newParty('provider'))).status, 403)
  t.equal((await put({ url: fence.url, token }, 'consumer')).status, 403)
  t.equal((await stage.api.call('provider', 'GET', `datacenters/${id}/fence`)).status, 404)
  const made = await put({ url: fence.url, token, certificateAuthority: fence.certificateAuthority })
  t.same(Object.keys(made.body).sort(), ['declaredAt', 'lastAsked', 'url'], 'its token is never shown')
  t.equal((await level(3)).status, 200)
  t.equal((await stage.api.call('provider', 'DELETE', `datacenters/${id}/fence`)).status, 200)
  t.match((await stage.api.call('provider', 'GET', `datacenters/${id}`)).body.fencing, { level: 2 })
  t.equal((await stage.api.call('provider', 'DELETE', `datacenters/${id}/fence`)).status, 404)
})
