/** Failovers on the command line, against the real API and a desk that leads: what people type, and what they are told. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Role } from '../../schemas/index.ts'
import { at, fallbackStage, keepSeen } from '../support/fallback-stage.ts'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { cli } from '../unit/cli/fake-io.ts'

t.setTimeout(120_000)

const why = ['--reason', 'onderhoud aan de koeling']

async function desk(t: Test) {
  const stage = await fallbackStage(t)
  const leave = stage.lead()
  const { path, remove } = temporaryFolder('failover-cli')
  t.teardown(remove)
  const names: Role[] = ['provider', 'consumer', 'loket']
  const tokens = Object.fromEntries(names.map((role) => [role, stage.api.tokenOf(role)]))
  writeFileSync(join(path, 'access.json'), JSON.stringify({ api: await stage.api.listen(), tokens }), { mode: 0o600 })
  const run = (...argv: string[]) => cli(['failover', ...argv], { env: { GEMEENTECLOUD_DATA: path } })
  const datacenter = (...argv: string[]) => cli(['datacenter', ...argv], { env: { GEMEENTECLOUD_DATA: path } })
  const json = async (...argv: string[]) => JSON.parse((await run(...argv, '-o', 'json')).out)
  return { stage, leave, run, datacenter, path, json }
}

t.test('planned, listed, shown and called off', async (t) => {
  const { stage, run, json } = await desk(t)
  const hosting = await stage.host('verhuist')
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(hosting.id, from)
  const slugs = new Map(Object.entries(stage.datacenters).map(([slug, id]) => [id, slug]))

  const planned = await run('plan', 'verhuist', ...why)
  t.match(planned, { code: 0, err: /Next, by the desk: gemeentecloud failover confirm opr_/ })
  t.match(planned.out, `${slugs.get(from)} → ${slugs.get(to)}`, 'where from and where to, as people call it')
  for (const filter of [[], ['--hosting', 'verhuist'], ['--state', 'awaiting-confirmation']]) {
    const listed = await run('list', ...filter)
    t.match(listed, { code: 0, err: '' }, filter.join(' '))
    t.match(listed.out, /opr_\S+ +verhuist +failover +awaiting-confirmation/)
  }
  t.notMatch((await run('list', '--state', 'done')).out, /opr_/)
  const [{ id }] = await json('list')
  t.match(await run('show', id), { code: 0, out: /failover of verhuist/ })
  t.match(await run('plan', 'verhuist', ...why), { code: 1, err: new RegExp(id) }, 'the second is told of the first')
  t.match(await run('abort', id, ...why), { code: 0, out: /aborted: onderhoud aan de koeling/ })
})

t.test('confirmed by the desk, and it goes', async (t) => {
  const { stage, run, json } = await desk(t)
  const hosting = await stage.host('gaat')
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  await run('plan', 'gaat', ...why)
  const [{ id }] = await json('list')
  t.match(await run('confirm', id, '--kind', 'fence', '--statement', 'laat het afsluiten'), { code: 2, err: /kind/ })
  const confirmed = await run('confirm', id, '--kind', 'agreed', '--statement', 'afgesproken met de beheerder')
  t.match(confirmed, { code: 0, err: `Next: gemeentecloud failover show ${id} --follow\n`, out: /state +running/ })
  await stage.running(hosting.id, at(hosting, 'standby') ?? '')
})

t.test('followed from the word of the desk to its end', async (t) => {
  const { stage, run, json } = await desk(t)
  keepSeen(t, stage)
  const hosting = await stage.host('gevolgd')
  await stage.running(hosting.id, at(hosting, 'primary') ?? '')
  await run('plan', 'gevolgd', ...why)
  const [{ id }] = await json('list')
  const followed = run('show', id, '--follow')
  const word = ['--kind', 'agreed', '--statement', 'afgesproken met de beheerder']
  const confirmed = await run('confirm', id, ...word, '--follow')
  for (const { code, out, err } of [confirmed, await followed]) {
    t.equal(code, 0, err)
    for (const name of ['fenced', 'claimed', 'scaled-up', 'done'])
      t.equal(out.match(new RegExp(`^\\S+ +${name}\\b|^${name} `, 'gm'))?.length, 1, `${name} once`)
    t.match(err, /gevolgd runs at (noord|oost)\. To bring it back/)
  }
  t.match((await followed).out, /^\S+ +word +\S.* \(agreed\): afgesproken met de beheerder$/m)
})

t.test('a datacenter is drained, and a brake is released', async (t) => {
  const { stage, run, json } = await desk(t)
  const hosting = await stage.host('vertrekt')
  const [from = '', to = ''] = [at(hosting, 'primary'), at(hosting, 'standby')]
  await stage.running(hosting.id, from)
  const slug = Object.entries(stage.datacenters).find(([, id]) => id === from)?.[0] ?? ''
  t.match(await run('drain', slug, ...why), { code: 0, out: `1 hosting leaves ${slug}` })
  await stage.running(hosting.id, to)
  await until(
    async () => (await json('list'))[0].steps.some(({ name }: { name: string }) => name === 'scaled-up'),
    'it',
  )
  t.match(await run('release-brake', slug, '--statement', 'de stroom is er echt af'), { code: 0, out: slug })
})

t.test('what a restored store waits for, and that it is off', async (t) => {
  const { stage, leave, run, datacenter } = await desk(t)
  const { database } = stage.api.kit
  const { oost } = stage.datacenters
  t.match(await run('doubt'), {
    code: 0,
    out: 'The store is not in doubt\nNothing waits for what a datacenter has to say\n',
  })
  await leave()
  await database.query('update fallback_state set in_doubt = 12, awaited = array[$1]', [oost])
  await database.query(`update datacenters set contact = 'unreachable' where slug = 'oost'`)
  t.match(await run('doubt'), { code: 6, out: /In doubt of 12 hostings, .*\n {2}oost: 0 of 2 say that it is off\n$/ })
  const statement = ['--statement', 'de stroom is eraf en blijft eraf']
  t.match(await run('attest-off', 'oost', ...statement), { code: 6, out: 'oost: 1 of 2 say that it is off\n' })
  t.match(await run('attest-off', 'oost', ...statement), { code: 1, err: /another one has to/ })
  t.match(await run('attest-off', 'noord', ...statement), { code: 1, err: /Nothing waits for what noord has to say/ })
  await database.query(`insert into attestations values ($1, 'een ander', 'ook gezien', now())`, [oost])
  t.match((await run('doubt')).out, 'oost: 2 of 2 say that it is off')
  const shown = async (...as: string[]) => (await datacenter('show', 'oost', ...as)).out
  t.match(await shown('--as', 'loket'), /^doubt +a restored store waits for what it runs; 2 of 2 say that it is off$/m)
  t.notMatch(await shown('--as', 'provider'), /^doubt/m, 'who may not read it is not refused the rest')
})

t.test('what a datacenter can enforce, and the fence that cuts it off', async (t) => {
  const { stage, datacenter, path } = await desk(t)
  const [token, url] = [join(path, 'token.txt'), 'https://192.0.2.7/fence']
  writeFileSync(token, 'a-token-of-the-fence\n')
  t.match(await datacenter('fence', 'noord'), { code: 3, err: /has no fence/ })
  const shown = await datacenter('show', 'noord')
  t.match(shown, {
    code: 0,
    out: /^fencing +level 2 \(a guard on every node .*\), stops within 0\.3 s; never measured$/m,
  })
  t.match(shown.out, /^fence +none$/m)
  t.match(await datacenter('fence', 'noord', '--at', url), { code: 2, err: /--token-file/ })
  t.match(await datacenter('fencing', 'noord', '--level', '3', '--stop-seconds', '10'), { code: 2, err: /fence/ })
  const declared = await datacenter('fence', 'noord', '--at', url, '--token-file', token)
  t.match(declared, { code: 0, out: `The fence of noord is at ${url} since 2` })
  t.match(await datacenter('fencing', 'noord', '--level', '3', '--stop-seconds', '10'), { code: 0, out: 'level 3' })
  t.match(await datacenter('fence', 'noord'), { code: 0, out: `${url} since 2` })
  t.match((await datacenter('show', 'noord')).out, /^fence +https:\S+ since 2\S+; never asked to cut it off$/m)
  const { database } = stage.api.kit
  await database.query(
    `insert into fence_requests values ('fnc_1', $1, 'failed', 'de schakelaar \u001b[2J zwijgt', '2026-01-02', '2026-01-03')`,
    [stage.datacenters['noord']],
  )
  await database.query('update datacenters set measured_stop_seconds = 12.5 where id = $1', [
    stage.datacenters['noord'],
  ])
  const after = (await datacenter('show', 'noord')).out
  t.match(after, /^fencing +level 3 .* within 10 s; 12\.5 s at most was seen, so it is not counted on to fence$/m)
  t.match(after, /last asked 2026-01-0\dT\S+, failed 2026-01-0\dT\S+: de schakelaar \\u001b\[2J zwijgt$/m)
  t.match((await datacenter('show', 'noord', '--as', 'consumer')).out, /^fencing .*\nclasses/m, 'not for everybody')
  t.match(await datacenter('fence', 'noord', '--remove', '--at', url), { code: 2 })
  t.match(await datacenter('fence', 'noord', '--remove'), { code: 0, out: 'is asked no more' })
})
