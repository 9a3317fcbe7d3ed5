/** Short-lived tokens: what their parent may do and no more, for as long as it may at most, and never more than a few. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { forgetShortLived } from '../../services/broker/identity/index.ts'
import { createMayStay } from '../../services/shared/identity/authenticate.ts'
import { type TestApi, testApi } from '../support/api.ts'
import { cli } from '../unit/cli/fake-io.ts'

type As = Parameters<TestApi['call']>[0]

const exchange = (api: TestApi, as: As, body: object = {}) => api.call(as, 'POST', 'short-lived-tokens', { body })

/** A token of a party of its own, as the desk gives it. */
async function parentOf(api: TestApi, expiresAt?: string): Promise<{ id: string; token: string }> {
  const body = { subject: 'ci', role: 'consumer', ...(expiresAt && { expiresAt }) }
  return (await api.call('loket', 'POST', `parties/${api.parties.consumer}/tokens`, { body })).body
}

const system = { slug: 'open-zaak', name: 'Open Zaak', classes: { availability: 2, integrity: 2, confidentiality: 2 } }

t.test('it is its parent for a quarter of an hour', async (t) => {
  const api = await testApi(t)
  const asked = Date.now()
  const { status, body: child } = await exchange(api, 'consumer')
  t.equal(status, 201)
  t.match(child, { subject: 'test', role: 'consumer', lifetimeSeconds: 900 })
  const lifeMs = Date.parse(child.expiresAt) - asked
  t.ok(lifeMs >= 900_000 && lifeMs < 960_000, `${lifeMs} ms`)
  const made = await api.call(child, 'POST', 'systems', { body: system })
  t.equal(made.status, 201)
  t.equal((await api.call('consumer', 'GET', `systems/${made.body.id}`)).status, 200, 'of the same party')
  t.equal((await api.call(child, 'GET', 'datacenters')).status, 200)
  const outside = await api.call(child, 'POST', 'parties', {
    body: { name: 'X', oin: '1'.repeat(20), roles: ['loket'] },
  })
  t.equal(outside.status, 403, 'nothing that the parent may not')
  const rows = await api.kit.database.query<{ row: string }>('select t::text as row from tokens t')
  t.notOk(
    rows.some(({ row }) => row.includes(child.token)),
    'only its hash is kept',
  )
  const kept = await api.kit.database.query<{ row: string }>('select i::text as row from idempotency i')
  t.notOk(
    kept.some(({ row }) => row.includes(child.token)),
    'nor is it in the answer that is kept for a repeat',
  )
})

t.test('a life that is asked for, and that of the parent at most', async (t) => {
  const api = await testApi(t)
  const { body: minute } = await exchange(api, 'consumer', { lifetimeSeconds: 60 })
  t.equal(minute.lifetimeSeconds, 60)
  const expiresAt = new Date(Date.now() + 30_000).toISOString()
  const { body: bounded } = await exchange(api, await parentOf(api, expiresAt))
  t.equal(Date.parse(bounded.expiresAt), Date.parse(expiresAt))
  t.ok(bounded.lifetimeSeconds <= 30)
  for (const lifetimeSeconds of [9, 901, 60.5, '60', null]) {
    const { status, body } = await exchange(api, 'consumer', { lifetimeSeconds })
    t.match({ status, body }, { status: 400, body: { errors: [{ pointer: '/lifetimeSeconds' }] } })
  }
})

t.test('it is over when its time is, or when its parent is over or gone', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const call = async (as: As) => (await api.call(as, 'GET', 'datacenters')).status
  const { body: late } = await exchange(api, 'consumer')
  await database.query(`update tokens set expires_at = now() - interval '1 second' where id = $1`, [late.id])
  t.equal(await call(late), 401)

  const ended = await parentOf(api)
  const { body: ofEnded } = await exchange(api, ended)
  await database.query(`update tokens set expires_at = now() - interval '1 second' where id = $1`, [ended.id])
  t.equal(await call(ofEnded), 401, 'its parent is over')

  const withdrawn = await parentOf(api)
  const { body: ofWithdrawn } = await exchange(api, withdrawn)
  const mayStay = createMayStay(api.kit)
  const who = { tokenId: withdrawn.id, subject: 'ci', partyId: '', role: 'consumer', shortLived: true } as const
  t.equal(await createMayStay(api.kit)(who), true)
  await database.query('delete from tokens where id = $1', [withdrawn.id])
  t.equal(await call(ofWithdrawn), 401, 'its parent is gone')
  t.same(await database.query('select 1 from tokens where id = $1', [ofWithdrawn.id]), [], 'and it with it')
  t.equal(await mayStay(who), false, 'nor does a stream go on')
  t.equal((await exchange(api, withdrawn)).status, 401, 'though the parent may be believed for a moment still')
})

t.test('nothing that lasts is made from it', async (t) => {
  const api = await testApi(t)
  const { body: child } = await exchange(api, 'loket')
  t.match(await exchange(api, child), { status: 403, body: { detail: /short-lived/ } })
  const body = { subject: 'ci', role: 'consumer' }
  const granted = await api.call(child, 'POST', `parties/${api.parties.consumer}/tokens`, { body })
  t.match(granted, { status: 403, body: { detail: /short-lived/ } })
  const [row] = await api.kit.database.query<{ n: number }>(`select count(*) as n from tokens where subject = 'ci'`)
  t.equal(row?.n, 0)
})

t.test('a thousand at a time, however many ask at once', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const parent = await parentOf(api)
  await database.query(
    `insert into tokens (id, token_hash, party_id, subject, role, created_at, expires_at, parent_id)
     select 'tok_' || n, sha256(n::text::bytea), $1, 'ci', 'consumer', now(), now() + interval '5 minutes', $2
     from generate_series(1, 998) n`,
    [api.parties.consumer, parent.id],
  )
  const answers = await Promise.all(Array.from({ length: 6 }, () => exchange(api, parent)))
  t.same(answers.map(({ status }) => status).sort(), [201, 201, 409, 409, 409, 409])
  t.match(answers.find(({ status }) => status === 409)?.body, { type: /limit-reached$/, detail: /^1000 tokens/ })
  t.equal((await exchange(api, 'consumer')).status, 201, 'another token is not concerned')
  await database.query(`update tokens set expires_at = now() where id = 'tok_1'`)
  t.equal((await exchange(api, parent)).status, 201, 'who is over makes room')
})

t.test('those that are over are forgotten, and no others', async (t) => {
  const api = await testApi(t)
  const { database } = api.kit
  const past = await parentOf(api, new Date(Date.now() + 60_000).toISOString())
  const { body: over } = await exchange(api, 'consumer')
  const { body: good } = await exchange(api, 'consumer')
  await database.query(`update tokens set expires_at = now() - interval '1 second' where id = any($1)`, [
    [past.id, over.id],
  ])
  t.equal(await forgetShortLived(api.kit), 1)
  t.equal(await forgetShortLived(api.kit), 0)
  const left = await database.query<{ id: string }>('select id from tokens where id = any($1)', [
    [past.id, over.id, good.id],
  ])
  t.same(left.map(({ id }) => id).sort(), [past.id, good.id].sort())
})

t.test('a repeat with the next token is a repeat', async (t) => {
  const api = await testApi(t)
  const headers = { 'idempotency-key': 'the-same-intention' }
  const answers = []
  for (let i = 0; i < 2; i++) {
    const { body: child } = await exchange(api, 'consumer')
    answers.push(await api.call(child, 'POST', 'systems', { body: system, headers }))
  }
  t.same(
    answers.map(({ status, body }) => [status, body.id]),
    Array(2).fill([201, answers[0]?.body.id]),
  )
})

t.test('the command line hands one out, in the form in which kubectl asks for it', async (t) => {
  const api = await testApi(t)
  const folder = t.testdir()
  const gateway = { url: 'https://127.0.0.1:8443', ca: '' }
  const access = { api: await api.listen(), tokens: { consumer: api.tokenOf('consumer') }, gateway }
  writeFileSync(join(folder, 'access.json'), JSON.stringify(access))
  const env = { GEMEENTECLOUD_DATA: folder }
  const { out } = await cli(['kubeconfig', '--lifetime', '100'], { env })
  t.notMatch(out, api.tokenOf('consumer'))
  const { exec } = JSON.parse(out).users[0].user
  const more = Object.fromEntries(exec.env.map(({ name, value }: Record<string, string>) => [name, value]))
  const before = Date.now()
  const { stdout } = await promisify(execFile)(exec.command, exec.args, { env: { PATH: process.env['PATH'], ...more } })
  const { status, ...rest } = JSON.parse(stdout)
  t.same(rest, { apiVersion: exec.apiVersion, kind: 'ExecCredential' })
  t.not(status.token, api.tokenOf('consumer'))
  t.equal((await api.call(status, 'GET', 'systems')).status, 200, 'and it is good')
  const believedMs = Date.parse(status.expirationTimestamp) - before
  t.ok(believedMs > 80_000 && believedMs < 100_000, `is replaced before its 100 s are over: ${believedMs} ms`)

  const { body: child } = await exchange(api, 'consumer')
  const again = await cli(['credential', '--token', child.token], { env })
  t.match(again, { code: 4, err: /short-lived/ })
})

t.test('an answer that was lost does not end in a credential that is none', async (t) => {
  const api = await testApi(t)
  const folder = t.testdir()
  const access = { api: await api.listen(), tokens: { consumer: api.tokenOf('consumer') } }
  writeFileSync(join(folder, 'access.json'), JSON.stringify(access))
  const ask = () => cli(['credential', '--idempotency-key', 'once-and-again'], { env: { GEMEENTECLOUD_DATA: folder } })
  t.equal((await ask()).code, 0)
  t.match(await ask(), { code: 1, out: '', err: /shown before/ })
})
