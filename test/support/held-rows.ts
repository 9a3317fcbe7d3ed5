/** A large federation and its placed hostings as rows, written by PostgreSQL itself, for what reads them all. */
import type { Database } from '../../services/shared/db/database.ts'

export interface HeldRows {
  readonly hostings: number
  readonly datacenters: number
  readonly nodesEach: number
}

const perStatement = 20_000

/** Hostings of two replicas on two nodes with a cold fallback at another datacenter, spread evenly. */
export async function seedHeldRows(database: Database, { hostings, datacenters, nodesEach }: HeldRows): Promise<void> {
  await database.query(
    `insert into parties (id, name, oin, roles, created_at, updated_at)
     select 'pty_' || i, 'Party ' || i, lpad(i::text, 20, '0'), array['requester', 'provider'], now(), now()
     from generate_series(0, 339) i`,
  )
  await database.query(
    `insert into systems (id, slug, name, party_id, spec, created_at, updated_at)
     select 'sys_' || i, 'system-' || i, 'System ' || i, 'pty_' || i,
       '{"classes":{"availability":2,"integrity":2,"confidentiality":2}}', now(), now()
     from generate_series(0, 339) i`,
  )
  await seedDatacenters(database, datacenters, nodesEach)
  // The sums that a commit checks are not what is measured, and take longest to make.
  await database.query('alter table claims disable trigger user')
  for (let from = 0; from < hostings; from += perStatement)
    await seedHostings(database, from, Math.min(hostings, from + perStatement) - 1, datacenters, nodesEach)
  await database.query('alter table claims enable trigger user')
  for (const table of ['datacenters', 'inventories', 'offers', 'systems', 'hostings', 'placements', 'claims'])
    await database.query(`analyze ${table}`)
}

async function seedDatacenters(database: Database, datacenters: number, nodesEach: number): Promise<void> {
  const free = { cpu: 64_000, memory: 256 * 2 ** 30, pods: 250, 'ephemeral-storage': 400 * 2 ** 30 }
  const nodes = JSON.stringify(
    Array.from({ length: nodesEach }, (_, i) => ({
      name: `node-${i}`,
      schedulable: true,
      allocatable: free,
      ownUse: {},
      free,
    })),
  )
  const site = `'dc_' || lpad(i::text, 26, '0')`
  const range = `generate_series(0, ${datacenters - 1}) i`
  await database.query(
    `insert into datacenters (id, slug, name, operator_id, spec, state, contact, created_at, updated_at)
     select ${site}, 'dc-' || i, 'dc-' || i, 'pty_' || i % 340, jsonb_build_object('region', 'region-' || i % 12,
       'position', jsonb_build_object('latitude', 51 + i % 20 / 10.0, 'longitude', 4 + i % 15 / 10.0),
       'failureDomains', jsonb_build_array('grid/area-' || i % 10), 'capabilities', '["ingress"]'::jsonb,
       'security', '{"classes":{"availability":3,"integrity":3,"confidentiality":3},"evidence":[]}'::jsonb),
       'active', 'reachable', now(), now() from ${range}`,
  )
  await database.query(
    `insert into inventories (datacenter_id, nodes, storage_classes, facts, observed_at)
     select ${site}, $1::jsonb, '[]', '{"kubernetesVersion":"v1.36.1"}', now() from ${range}`,
    [nodes],
  )
  await database.query(
    `insert into offers (id, datacenter_id, party_id, amounts, starts_at, ends_at, quality, tariff, state, created_at, updated_at)
     select 'off_' || i, ${site}, 'pty_' || i % 340,
       '{"cpu": 6400000, "memory": 27487790694400, "pods": 25000, "ephemeral-storage": 42949672960000}',
       '2026-01-01', 'infinity', 'guaranteed', '{"cpu": 10000000}', 'open', now(), now() from ${range}`,
  )
}

async function seedHostings(database: Database, from: number, to: number, datacenters: number, nodesEach: number) {
  const range = `generate_series(${from}, ${to}) i`
  const id = (prefix: string) => `'${prefix}_' || lpad(i::text, 26, '0')`
  const standbyAt = `(i + 1 + i / ${datacenters} * 37 % ${datacenters - 1}) % ${datacenters}`
  const roles = `${range} cross join (values ('primary', 'p', 0), ('standby', 's', 1)) r(role, letter, which)
    cross join lateral
      (select 'dc_' || lpad((case which when 0 then i % ${datacenters} else ${standbyAt} end)::text, 26, '0') as at) d
    cross join lateral (select (i / ${datacenters} * 2 + which) % ${nodesEach} as node) n`
  const cpu = '100 + i % 40 * 25'
  await database.query(
    `insert into hostings (id, name, system_id, party_id, spec, starts_at, ends_at, wanted, scheduling, epoch, request_id,
       created_at, updated_at)
     select ${id('hst')}, 'h-' || i, 'sys_' || i % 340, 'pty_' || i % 340,
       jsonb_build_object('name', 'h-' || i, 'systemId', 'sys_' || i % 340,
       'components', jsonb_build_array(jsonb_build_object('name', 'web', 'replicas', 2, 'onePerNode', true,
         'requests', jsonb_build_object('cpu', (${cpu}) || 'm', 'memory', (256 + i % 7 * 64) || 'Mi'))),
       'fallback', '{"mode":"cold","differ":["grid"]}'::jsonb),
       now(), 'infinity', 'running', 'placed', 1, 'req', now(), now() from ${range}`,
  )
  await database.query(
    `insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
     select 'plc_' || letter || i, ${id('hst')}, at, role, 1, jsonb_build_array(
       jsonb_build_object('component', 'web', 'node', 'node-' || node, 'replicas', 1),
       jsonb_build_object('component', 'web', 'node', 'node-' || (node + 1) % ${nodesEach}, 'replicas', 1)),
       'present', now() from ${roles}`,
  )
  await database.query(
    `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
     select 'clm_' || letter || i, 'plc_' || letter || i, ${id('hst')}, at, role,
       array['site/dc_' || lpad((i % ${datacenters})::text, 26, '0'), 'grid/area-' || i % ${datacenters} % 10],
       jsonb_build_object('cpu', 2 * (${cpu}), 'memory', 2 * (256 + i % 7 * 64)::bigint * 1048576, 'pods', 2),
       now(), 'infinity', now() from ${roles}`,
  )
}
