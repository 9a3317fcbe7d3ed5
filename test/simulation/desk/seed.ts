/** What stands in the store before a world begins: parties, datacenters with agents and offers, and no hosting yet. */
import type { Database } from '../../../services/shared/db/database.ts'
import { beginning } from './life.ts'

export interface SeededSite {
  readonly id: string
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly hasFence: boolean
}

export const party = 'pty_1'
export const system = 'sys_1'
const now = new Date(beginning)

export async function seedStore(database: Database, sites: readonly SeededSite[]): Promise<void> {
  await database.query(
    `insert into parties (id, name, oin, roles, created_at, updated_at)
     values ($1, 'Dimpact', '00000099000000009001', array['consumer', 'provider', 'loket'], $2, $2)`,
    [party, now],
  )
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  await database.query(
    `insert into systems (id, slug, name, party_id, spec, created_at, updated_at) values ($1, 'zaken', 'Zaken', $2, $3, $4, $4)`,
    [system, party, JSON.stringify({ classes }), now],
  )
  for (const [index, site] of sites.entries()) await seedSite(database, site, index, classes)
}

async function seedSite(
  database: Database,
  { id, cpuMillis, memoryBytes, hasFence }: SeededSite,
  index: number,
  classes: object,
): Promise<void> {
  const spec = {
    region: `region-${index}`,
    position: { latitude: 51 + index / 10, longitude: 5 },
    failureDomains: [],
    security: { classes, evidence: [] },
    capabilities: [],
  }
  const fencing = { level: hasFence ? 3 : 2, stopSeconds: 6 }
  await database.query(
    `insert into datacenters (id, slug, name, operator_id, spec, fencing, state, contact, created_at, updated_at)
     values ($1, $1, $1, $2, $3, $4, 'active', 'unknown', $5, $5)`,
    [id, party, JSON.stringify(spec), JSON.stringify(fencing), now],
  )
  await database.query(
    `insert into connections (datacenter_id, kind, server, sealed, updated_at) values ($1, 'agent', '', '', $2)`,
    [id, now],
  )
  await database.query(
    `insert into offers (id, datacenter_id, party_id, amounts, starts_at, ends_at, quality, tariff, state, created_at, updated_at)
     values ('off_' || $1, $1, $2, $3, '2026-01-01', 'infinity', 'guaranteed', '{"cpu": 10000000}', 'open', $4, $4)`,
    [id, party, JSON.stringify({ cpu: cpuMillis, memory: memoryBytes, pods: 1000 }), now],
  )
  if (!hasFence) return
  await database.query(
    `insert into fences (datacenter_id, url, ca, token, declared_by, declared_at)
     values ($1, 'https://fence.example', null, '', 'seed', $2)`,
    [id, now],
  )
}
