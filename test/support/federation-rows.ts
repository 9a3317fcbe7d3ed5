/** A federation as rows, for tests and benchmarks of the way to the commit that need no cluster. */
import type { Database } from '../../services/shared/db/database.ts'

export interface FederationRows {
  readonly partyId: string
  readonly datacenters: number
  readonly nodes: number
  /** Per datacenter: millicores, bytes, pods. */
  readonly offer: { readonly cpu: number; readonly memory: number; readonly pods: number }
}

const node = { cpu: 64_000, memory: 256 * 2 ** 30, pods: 250 }

/** Adds active datacenters that were just seen, each with equal nodes and one open offer; running it again renews their age. */
export async function seedFederationRows(
  database: Database,
  { partyId, datacenters, nodes, offer }: FederationRows,
): Promise<void> {
  const list = JSON.stringify(
    Array.from({ length: nodes }, (_, i) => ({
      name: `node-${i}`,
      schedulable: true,
      allocatable: node,
      ownUse: {},
      free: node,
    })),
  )
  for (let i = 0; i < datacenters; i++) {
    const id = `dc_${String(i).padStart(26, '0')}`
    const spec = {
      region: `region-${i % 12}`,
      position: { latitude: 51 + (i % 20) / 10, longitude: 4 + (i % 15) / 10 },
      failureDomains: [],
      security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
      capabilities: [],
    }
    await database.query(
      `insert into datacenters (id, slug, name, operator_id, spec, state, contact, created_at, updated_at)
       values ($1, $2, $2, $3, $4, 'active', 'reachable', now(), now()) on conflict do nothing`,
      [id, `dc-${i}`, partyId, JSON.stringify(spec)],
    )
    await database.query(
      `insert into inventories (datacenter_id, nodes, storage_classes, facts, observed_at)
       values ($1, $2, '[]', '{"kubernetesVersion":"v1.36.1"}', now())
       on conflict (datacenter_id) do update set observed_at = now()`,
      [id, list],
    )
    await database.query(
      `insert into offers (id, datacenter_id, party_id, amounts, starts_at, ends_at, quality, tariff, state,
         created_at, updated_at)
       values ($1, $2, $3, $4, '2026-01-01', 'infinity', 'guaranteed', '{"cpu": 10000000}', 'open', now(), now())
       on conflict do nothing`,
      [`off_${String(i).padStart(26, '0')}`, id, partyId, JSON.stringify(offer)],
    )
  }
}
