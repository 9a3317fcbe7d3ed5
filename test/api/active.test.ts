/** Where a hosting is active: one answer at any moment, before a failover, during it and after. */
import t from 'tap'
import { at, fallbackStage } from '../support/fallback-stage.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

t.test('where a hosting is active is told by its lease, and never goes back', async (t) => {
  const stage = await fallbackStage(t)
  const { api } = stage
  const active = async (id: string) => {
    const { status, body, headers } = await api.call('consumer', 'GET', `hostings/${id}/active`)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    return body
  }
  const stop = api.schedule()
  const hosting = await stage.host('exclusief', { mode: 'cold', activity: 'exclusive', policy: 'automatic' })
  await stop()
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  t.match(
    await active(hosting.id),
    { state: 'nowhere', datacenterId: null, epoch: null, since: null },
    'not granted yet',
  )
  stage.lead()
  await stage.running(hosting.id, from)
  const first = await active(hosting.id)
  t.match(first, {
    hostingId: hosting.id,
    hosting: 'exclusief',
    state: 'active',
    datacenterId: from,
    epoch: /^1\.\d+$/,
  })

  stage.sites.site(from).cut()
  const seen: string[] = []
  await until(async () => {
    const { state, datacenterId } = await active(hosting.id)
    const place = state === 'active' ? datacenterId : state
    if (seen.at(-1) !== place) seen.push(place)
    return datacenterId === to
  }, 'it is active at the standby')
  t.same(
    seen.filter((place) => place !== 'nowhere'),
    [from, to],
    'each once, and in this order',
  )
  const second = await active(hosting.id)
  const counter = ({ epoch }: { epoch: string }) => Number(epoch.split('.')[1])
  t.ok(counter(second) > counter(first), 'by a later right')
  t.ok(second.since >= first.since)
})
