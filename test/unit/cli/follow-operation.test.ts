/** `failover show --follow` against a broker that answers as told: each step once, breaks survived, and how it ends. */
import t from 'tap'
import { CliError, exitCode } from '../../../services/cli/errors.ts'
import { readPatiently } from '../../../services/cli/patience.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { broker, cut, json } from './fake-broker.ts'
import { fakeIo } from './fake-io.ts'

const step = (name: string, note: string | null = null) => ({
  name,
  startedAt: '2027-01-01T00:00:01.000Z',
  endedAt: '2027-01-01T00:00:01.000Z',
  note,
})

const operation = (state: string, steps: readonly object[] = [], more: object = {}) =>
  json(200, {
    id: 'opr_1',
    hosting: 'open-zaak',
    kind: 'failover',
    state,
    reason: null,
    from: 'noord',
    to: 'oost',
    plan: { method: 'stop', expectedSeconds: 20, confirmationsNeeded: 1, warnings: [] },
    confirmations: [],
    steps,
    outcome: null,
    expiresAt: null,
    updatedAt: '2027-01-01T00:00:02.000Z',
    ...more,
  })

const confirmed = step('confirmed')
const fenced = step('fenced', 'stopped')
const show = ['failover', 'show', 'opr_1', '--follow']

t.test('each step once, over a broken connection, to its end', async (t) => {
  const { run, seen } = await broker(
    t,
    operation('awaiting-confirmation'),
    operation('running', [confirmed]),
    operation('running', [confirmed]),
    // The call itself tries four times.
    ...Array.from({ length: 9 }, () => cut),
    operation('running', [confirmed, fenced]),
    operation('done', [confirmed, fenced, step('done')]),
  )
  const { code, out, err } = await run(...show)
  t.equal(code, 0)
  t.equal(out.match(/ {2}confirmed/g)?.length, 1)
  t.match(out, /^2027-01-01T00:00:01\.000Z {2}fenced +stopped$/m)
  t.match(out, /state +done\n$/)
  t.match(err, /^Next, by the desk: gemeentecloud failover confirm opr_1 --kind agreed/)
  t.equal(err.match(/gives no answer/g)?.length, 1, 'a break is told once')
  t.match(err, /It answers again\nopen-zaak runs at oost\. To bring it back: gemeentecloud failover back open-zaak/)
  t.equal(seen.length, 14)
})

t.test('called off, and what needs a person: not 0, and what to do', async (t) => {
  const off = await broker(t, operation('running'), operation('aborted', [], { outcome: 'niet meer nodig' }))
  t.match(await off.run(...show), {
    code: 1,
    out: /state +aborted: niet meer nodig/,
    err: /called off: niet meer nodig\. Another one: gemeentecloud failover plan open-zaak --reason/,
  })
  const stuck = await broker(t, operation('running'), operation('needs-person', [], { outcome: 'no pods' }))
  t.match(await stuck.run(...show), { code: 1, err: /needs a person: no pods\n.*operation-needs-person\.md/ })
})

t.test('as lines for a program', async (t) => {
  const { run } = await broker(t, operation('running'), operation('running'), operation('done', [step('done')]))
  const { out } = await run(...show, '-o', 'json')
  const states = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text).state)
  t.same(states, ['running', 'done'])
})

t.test('what is refused is not asked for again, nor a broker for ever', async (t) => {
  const gone = await broker(t, operation('running'), json(404, { title: 'Not found' }))
  t.match(await gone.run(...show), { code: 3, err: /Not found/ })
  t.equal(gone.seen.length, 2)
  let waitedMs = 0
  const sleep = async (ms: number) => {
    waitedMs += ms
  }
  const clock = { ...systemClock, monotonic: () => waitedMs, sleep }
  const said: string[] = []
  const session = {
    io: fakeIo({ clock }).io,
    api: () => ({ get: () => Promise.reject(new CliError(exitCode.unreachable, 'no answer')) }),
    remark: (text: string) => said.push(text),
  }
  await t.rejects(readPatiently(session as never, '/operations/opr_1'), { code: 5 })
  t.ok(waitedMs > 300_000 && waitedMs < 330_000, `gave up after ${waitedMs} ms`)
  t.equal(said.length, 1, 'and said so once')
})
