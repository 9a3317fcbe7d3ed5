/** The command line on agents: who waits, whom one lets in by the key that was told, and another authority. */
import t from 'tap'
import type { Role } from '../../schemas/index.ts'
import { createKey, createRequest, keyHash } from '../../services/shared/x509.ts'
import { testApi } from '../support/api.ts'
import { cli } from '../unit/cli/fake-io.ts'

t.setTimeout(120_000)

t.test('an agent whose certificate has run out, and a change of authority', async (t) => {
  const api = await testApi(t, { realConnections: true })
  const url = await api.listen()
  const run = (role: Role, ...argv: string[]) =>
    cli(argv, { env: { GEMEENTECLOUD_URL: url, GEMEENTECLOUD_TOKEN: api.tokenOf(role) } })
  const id = await api.activeDatacenter({ slug: 'parkstad' })
  const { token } = (await api.call('provider', 'POST', `datacenters/${id}/join-tokens`, { body: {} })).body
  const key = createKey()
  const hash = keyHash(key).toString('hex')
  const csr = await createRequest(key, 'agent')
  const ask = (token?: string) =>
    api.call('nobody', 'POST', 'agents/certificates', { body: { csr, ...(token && { token }) } })
  await ask(token)
  const approve = (key: string) => run('provider', 'agent', 'approve', 'parkstad', '--key', key)

  t.match(await approve(hash), { code: 1, err: /The agent of parkstad does not wait for anybody/ })
  await api.kit.database.query(`update agents set not_after = now() - interval '1 day'`)
  t.equal((await ask()).status, 202)
  const listed = await run('provider', 'agent', 'enrolments')
  t.match(listed, { code: 0, out: new RegExp(`^parkstad +waiting +\\S+Z +${hash} +enr_`, 'm') })
  const other = keyHash(createKey()).toString('hex')
  t.match(await approve(other), { code: 1, err: new RegExp(`has another key: ${hash}`) })
  t.match(await approve(hash.slice(0, 20)), { code: 2, err: /all 64 digits/ })
  t.equal((await ask()).status, 202, 'with another key nothing is approved')

  const grouped = hash.toUpperCase().replaceAll(/(..)(?=.)/g, '$1:')
  t.match(await approve(`SHA256:${grouped}`), { code: 0, out: /The agent of parkstad gets its certificate/ })
  t.equal((await ask()).status, 200)
  t.same(JSON.parse((await run('provider', 'agent', 'enrolments', '-o', 'json')).out), [])
  t.match((await run('loket', 'agent', 'enrolments', '--all')).out, /^parkstad +used /m)

  t.match(await run('provider', 'agent', 'change-authority'), { code: 4 })
  const changed = await run('loket', 'agent', 'change-authority')
  t.match(changed, { code: 0, out: /^cau_\w+ issues from now on, until 20/ })
  t.equal((await ask()).body.authorities.length, 2)
})
