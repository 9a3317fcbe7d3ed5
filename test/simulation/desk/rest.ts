/** Whether all has come to rest where it should: the store, the clusters and what runs say the same. */
import { isLater, type Row } from '../../../services/fallback/index.ts'
import { Breach } from '../checks.ts'
import type { Acknowledged } from './people.ts'
import type { DeskWorld } from './world.ts'

interface PlacedRow extends Record<string, unknown> {
  readonly id: string
  readonly name: string
  readonly activity: string
  readonly wanted: string
  readonly scheduling: string
  readonly placements: readonly { role: string; at: string; wanted: string; claims: readonly string[] }[]
}

export async function requireRest(world: DeskWorld, acknowledged: readonly Acknowledged[]): Promise<void> {
  const { inner, rows } = world
  for (const row of rows.values()) requireRow(world, row)
  const placed = await inner.query<PlacedRow>(
    `select h.id, h.name, coalesce(h.spec #>> '{fallback,activity}', 'pinned') as activity, h.wanted, h.scheduling,
       coalesce((select jsonb_agg(jsonb_build_object('role', p.role, 'at', p.datacenter_id, 'wanted', p.wanted,
           'claims', coalesce((select jsonb_agg(c.kind order by c.kind) from claims c
             where c.placement_id = p.id and c.released_at is null), '[]')))
         from placements p where p.hosting_id = h.id and p.wanted <> 'released'), '[]') as placements
     from hostings h order by h.id`,
  )
  for (const hosting of placed) requirePlaces(world, hosting)
  const [open] = await inner.query(
    `select id, hosting_id, kind, trigger, state, forwarded, outcome, plan,
       (select jsonb_agg(s -> 'name') from jsonb_array_elements(steps) s) as steps,
       (select jsonb_agg(jsonb_build_array(p.datacenter_id, p.role, p.epoch, p.observed, p.observed_reason)) from placements p
         where p.hosting_id = operations.hosting_id and p.wanted <> 'released') as placements
     from operations where state in ('running', 'fencing') limit 1`,
  )
  if (open) throw new Breach('L5', `not over: ${JSON.stringify(open)}`)
  await requireKept(world, acknowledged)
}

function requireRow({ datacenters }: DeskWorld, row: Row): void {
  const { hosting, holder } = row
  if (row.amnesia) throw new Breach('L5', `${hosting} is still not known again`)
  const running = datacenters.filter((at) => at.runs(hosting)).map(({ id }) => id)
  if (running.join() !== holder)
    throw new Breach('L1', `${hosting} of ${holder} runs at ${running.join(', ') || 'no site'}, over: ${row.over}`)
  if (row.leftovers.length > 0) throw new Breach('L3', `${hosting} left something at ${row.leftovers[0]?.datacenter}`)
  if (isLater(row.highest, row.epoch)) throw new Breach('L2', `the peers of ${hosting} cannot promise`)
  if (row.saga || row.offer) throw new Breach('L5', `${hosting}: ${row.saga?.id ?? 'an offer'} has not ended`)
}

function requirePlaces({ rows, clusters, datacenters }: DeskWorld, hosting: PlacedRow): void {
  const { id, name, placements } = hosting
  const said = JSON.stringify(hosting)
  const of = (role: string) => placements.filter((each) => each.role === role)
  if (hosting.wanted !== 'running') {
    if (placements.length > 0) throw new Breach('L3', `${said} has ended and is still somewhere`)
    const stands = [...clusters].find(([, cluster]) => cluster.has(name))
    if (stands) throw new Breach('L3', `${said} has ended and stands at ${stands[0]}`)
    return
  }
  if (hosting.scheduling !== 'placed') return
  const [primary, ...more] = of('primary')
  if (!primary || more.length > 0) throw new Breach('L3', `${said} has not one primary`)
  const row = rows.get(id)
  if (hosting.activity === 'shared' ? row !== undefined : row?.holder !== primary.at)
    throw new Breach('L3', `${said} is of ${row?.holder}`)
  if (of('former').length > 0 || of('coming').length > 0) throw new Breach('L3', `${said} is half moved`)
  if (!primary.claims.includes('primary')) throw new Breach('L3', `${said} claims nothing for what runs`)
  for (const { role, at, claims } of placements) {
    if (!clusters.get(at)?.has(name)) throw new Breach('L3', `${said} does not stand at ${at}`)
    if (role === 'standby' && !claims.includes('standby')) throw new Breach('L3', `${said} keeps no room`)
  }
  for (const at of datacenters)
    if (at.wanted.has(id) && at.id !== primary.at) throw new Breach('L3', `${said} is still wanted at ${at.id}`)
}

/** S9: what was acknowledged is there. */
async function requireKept({ inner }: DeskWorld, acknowledged: readonly Acknowledged[]): Promise<void> {
  const found = await inner.query<{ id: string }>('select id from hostings union all select id from operations')
  const there = new Set(found.map(({ id }) => id))
  for (const { kind, id } of acknowledged) if (!there.has(id)) throw new Breach('S9', `${kind} ${id} is forgotten`)
}
