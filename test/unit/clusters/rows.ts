/** Rows for tests of clusters: a datacenter with a connection, hostings with placements. */
import { randomUUID } from 'node:crypto'
import type { Database } from '../../../services/shared/db/database.ts'
import { grantAll } from '../../support/granted.ts'

const GiB = 2 ** 30

export async function partyRow(database: Database): Promise<string> {
  const id = `pty_${randomUUID()}`
  const oin = String(Math.floor(Math.random() * 1e12)).padStart(20, '0')
  await database.query(
    `insert into parties (id, name, oin, roles, created_at, updated_at)
     values ($1, 'Partij', $2, '{provider,consumer}', now(), now())`,
    [id, oin],
  )
  return id
}

export async function datacenterRow(
  database: Database,
  partyId: string,
  slug: string,
  state = 'active',
): Promise<string> {
  const id = `dc_${randomUUID()}`
  await database.query(
    `insert into datacenters (id, slug, name, operator_id, spec, state, created_at, updated_at)
     values ($1, $2, $2, $3, '{}', $4, now(), now())`,
    [id, slug, partyId, state],
  )
  await database.query(
    `insert into connections (datacenter_id, kind, server, sealed, updated_at)
     values ($1, 'push', 'https://fake', '\\x00', now())`,
    [id],
  )
  return id
}

export interface HostingRows {
  readonly id: string
  /** By role. */
  readonly placements: Record<string, string>
}

export async function hostingRows(
  database: Database,
  partyId: string,
  name: string,
  sites: Record<string, string>,
  epoch = 1,
): Promise<HostingRows> {
  const id = `hst_${randomUUID()}`
  const systemId = `sys_${randomUUID()}`
  await database.query(
    `insert into systems (id, slug, name, party_id, spec, created_at, updated_at)
     values ($1, $2, $2, $3, '{}', now(), now())`,
    [systemId, name, partyId],
  )
  await database.query(
    `insert into hostings (id, name, system_id, party_id, spec, starts_at, ends_at, wanted, scheduling,
       request_id, created_at, updated_at)
     values ($1, $2, $3, $4, '{"volumes":[{"name":"data","count":2}]}', now(), 'infinity', 'running', 'placed',
       'req', now(), now())`,
    [id, name, systemId, partyId],
  )
  const placements: Record<string, string> = {}
  for (const [role, datacenterId] of Object.entries(sites)) {
    const placementId = `plc_${randomUUID()}`
    placements[role] = placementId
    await database.query(
      `insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
     values ($1, $2, $3, $4, $5, '[]', 'present', now())`,
      [placementId, id, datacenterId, role, epoch],
    )
    await database.query(
      `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       values ($1, $2, $3, $4, $5, '{}', $6, now(), 'infinity', now())`,
      [
        `clm_${randomUUID()}`,
        placementId,
        id,
        datacenterId,
        role,
        JSON.stringify({ cpu: 1_500, memory: 2 * GiB, pods: 3, 'storage/snel': 10 * GiB }),
      ],
    )
  }
  await grantAll(database)
  return { id, placements }
}

/** As the API ends a hosting. */
export async function endHosting(database: Database, id: string): Promise<void> {
  await database.query(`update placements set wanted = 'removed' where hosting_id = $1`, [id])
  await database.query(`update hostings set wanted = 'ending' where id = $1`, [id])
  database.hint('placements')
}
