/** The fallback status says whether the copy at the standby is within what was agreed, the same in API and metrics. */
import t from 'tap'
import { hostingMetrics } from '../../services/broker/hosting/metrics.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { drillStage } from '../support/drill-stage.ts'

t.setTimeout(120_000)

interface Mirror {
  readonly behindSeconds?: number
  readonly problem?: string
  readonly data?: readonly { readonly kind?: string; readonly goodSecondsAgo?: number; readonly problem?: string }[]
}

t.test('in trouble, behind, too old, and of a primary that does not answer only what has become old', async (t) => {
  const stage = await drillStage(t)
  const { id } = await stage.host('kopie')
  const { kit } = stage.api
  const shown = async () => (await stage.ask('consumer', 'GET', `hostings/${id}`)).body
  const { placements } = await shown()
  const [primary, standby] = ['primary', 'standby'].map((of) =>
    placements.find(({ role }: { role: string }) => role === of),
  )
  const registry = createRegistry()
  hostingMetrics(registry, kit)
  const says = async ({ behindSeconds, problem, data = [] }: Mirror) => {
    const now = kit.clock.now()
    const states = data.map(({ kind = 'volsync', goodSecondsAgo: ago, problem = null }) => ({
      kind,
      name: 'files',
      goodAtMs: ago === undefined ? null : now - ago * 1000,
      problem,
    }))
    const since = behindSeconds === undefined ? null : new Date(now - behindSeconds * 1000)
    await kit.database.query(
      `insert into mirrors (placement_id, hosting_id, behind_since, problem, data) values ($1, $2, $3, $4, $5)
        on conflict (placement_id) do update
         set behind_since = excluded.behind_since, problem = excluded.problem, data = excluded.data`,
      [standby.id, id, since, problem ?? null, JSON.stringify(states)],
    )
    const { fallbackStatus, fallbackReasons } = await shown()
    const samples = (await registry.getMetricsAsJSON()) as { name: string; values: { value: number }[] }[]
    const statuses = samples.find(({ name }) => name === 'gemeentecloud_hosting_fallback_status')?.values ?? []
    t.match(
      statuses.filter(({ value }) => value === 1),
      [{ labels: { status: fallbackStatus } }],
    )
    t.equal(fallbackStatus, fallbackReasons.length > 0 ? 'degraded' : 'ready')
    return fallbackReasons
  }
  const agree = (seconds: number) =>
    kit.database.query(`update hostings set spec = jsonb_set(spec, '{fallback,rpoSeconds}', $2) where id = $1`, [
      id,
      String(seconds),
    ])
  t.same(await says({}), [])
  t.same(await says({ problem: 'forbidden' }), ['mirror-in-trouble'])
  t.same(await says({ behindSeconds: 800 }), [], 'a quarter of an hour where nobody has agreed about it')
  t.same(await says({ behindSeconds: 1000 }), ['mirror-behind'])
  t.same(await says({ data: [{ goodSecondsAgo: 9_999 }] }), [], 'nobody has agreed how old it may be')
  t.same(await says({ data: [{ problem: 'no such secret' }] }), ['data-in-trouble'])
  t.same(await says({ data: [{ kind: 'undeclared', problem: 'how it comes there is not declared' }] }), [
    'data-undeclared',
  ])
  await agree(120)
  t.same(await says({ behindSeconds: 130 }), ['mirror-behind'])
  t.same(await says({ data: [{ goodSecondsAgo: 10 }, { goodSecondsAgo: 110 }] }), [])
  t.same(await says({ data: [{ goodSecondsAgo: 10 }, { goodSecondsAgo: 130 }] }), ['data-too-old'])
  t.same(await says({ data: [{}] }), ['data-too-old'], 'there never was a copy')

  await kit.database.query(`update datacenters set contact = 'unreachable' where id = $1`, [primary.datacenterId])
  const unseen = { problem: 'refused', data: [{ goodSecondsAgo: 10, problem: 'refused' }] }
  t.same(await says({ ...unseen, behindSeconds: 60 }), [], 'it stands by with a copy of a minute ago')
  t.same(await says({ ...unseen, behindSeconds: 130 }), ['mirror-behind'])
})
