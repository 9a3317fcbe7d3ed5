/** Rows of datacenters as the contract shows them. */
import type { Capacity, Datacenter, Inventory, Offer } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { formatAmount, unitOf } from '../../shared/quantity.ts'
import { type Amounts, capacityFigures } from './core/capacity.ts'
import type { CapacityRow, DatacenterRow, InventoryRow, OfferRow } from './store.ts'

const instant = (date: Date) => rfc3339(date.getTime())
const age = (date: Date, now: number) => Math.max(0, Math.floor((now - date.getTime()) / 1000))
const stamps = (row: { created_at: Date; updated_at: Date }) => ({
  createdAt: instant(row.created_at),
  updatedAt: instant(row.updated_at),
})

/** `full`: with what only those see who may know how it is reached. */
export function datacenterView(row: DatacenterRow, now: number, full: boolean): Datacenter {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    operatorId: row.operator_id,
    ...row.spec,
    state: row.state,
    contact: row.contact === 'unreachable' && row.lost_since ? 'lost' : row.contact,
    fencing: { ...row.fencing, measuredStopSeconds: row.measured_stop_seconds },
    contactReason: full ? row.contact_reason : null,
    connection: row.connection_kind
      ? {
          kind: row.connection_kind,
          ...(full && row.server && { server: row.server }),
          ...(full && row.connection_kind === 'agent' && row.agent_until && { agent: agentView(row, row.agent_until) }),
        }
      : null,
    inventory: row.observed_at && {
      nodes: row.node_count ?? 0,
      kubernetesVersion: row.kubernetes_version ?? '',
      observedAt: instant(row.observed_at),
      ageSeconds: age(row.observed_at, now),
    },
    ...stamps(row),
  }
}

const agentView = ({ agent_version, clock_skew_ms }: DatacenterRow, until: Date) => ({
  version: agent_version,
  clockSkewSeconds: clock_skew_ms === null ? null : clock_skew_ms / 1000,
  certificateExpiresAt: instant(until),
})

export function offerView(row: OfferRow): Offer {
  return {
    id: row.id,
    datacenterId: row.datacenter_id,
    amounts: formatted(row.amounts),
    period: { start: rfc3339(row.starts_ms), end: row.ends_ms === null ? null : rfc3339(row.ends_ms) },
    quality: row.quality,
    tariff: row.tariff,
    state: row.state,
    ...stamps(row),
  }
}

export function inventoryView(row: InventoryRow, now: number): Inventory {
  return {
    datacenterId: row.datacenter_id,
    nodes: row.nodes.map(({ name, zone, schedulable, allocatable, ownUse }) => ({
      name,
      ...(zone !== undefined && { zone }),
      schedulable,
      allocatable: formatted(allocatable),
      ownUse: formatted(ownUse),
    })),
    storageClasses: row.storage_classes,
    kubernetesVersion: row.facts.kubernetesVersion,
    observedAt: instant(row.observed_at),
    ageSeconds: age(row.observed_at, now),
  }
}

export function capacityView(row: CapacityRow, now: number): Capacity {
  return {
    datacenterId: row.id,
    resources: capacityFigures(row.nodes ?? undefined, row.offers, row.claims).map(({ resource, ...figures }) => {
      const shown = Object.entries(figures).map(([name, amount]) => [name, figure(resource, amount)])
      return { resource, unit: unitOf(resource), ...Object.fromEntries(shown) }
    }),
    observedAt: row.observed_at && instant(row.observed_at),
    ageSeconds: row.observed_at && age(row.observed_at, now),
  }
}

const figure = (resource: string, amount: number | undefined) =>
  amount === undefined ? null : amount === Number.POSITIVE_INFINITY ? 'unlimited' : formatAmount(resource, amount)

const formatted = (amounts: Amounts) =>
  Object.fromEntries(Object.entries(amounts).map(([resource, amount]) => [resource, formatAmount(resource, amount)]))
