/** Datacenters: registering one, offering its spare capacity, and what can be read of it. */
import type {
  Capacity,
  ConnectionInput,
  Datacenter,
  DatacenterInput,
  Inventory,
  Offer,
  OfferInput,
} from '../../../schemas/index.ts'
import { derivedKinds, kindOf } from '../../placement/index.ts'
import { type Ceilings, requireRoom } from '../../shared/ceilings.ts'
import { isUniqueViolation, type Sql } from '../../shared/db/database.ts'
import { checkIfMatch } from '../../shared/http/etag.ts'
import { type PageRequest, readPage } from '../../shared/http/paging.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { escapePointer } from '../../shared/pointer.ts'
import { Problem } from '../../shared/problem.ts'
import { amountOf, isAmount } from '../../shared/quantity.ts'
import { appendEvents } from '../audit/index.ts'
import { mayTouch, requireOwner } from '../identity/index.ts'
import { getParty } from '../parties/index.ts'
import {
  countDatacenters,
  countOpenOffers,
  type DatacenterRow,
  insertDatacenter,
  insertOffer,
  lockDatacenter,
  selectCapacity,
  selectDatacenter,
  selectDatacenters,
  selectInventory,
  selectOffers,
} from './store.ts'
import { capacityView, datacenterView, inventoryView, offerView } from './view.ts'

/**
 * Looks at how a datacenter is to be reached, which may take its time, so outside of transactions; what comes of it stores
 * that within one. Throws `kubeconfig-refused`, `forbidden`. Given by the room that owns connections.
 */
export type Connect = (input: ConnectionInput) => Promise<StoreConnection>
export type StoreConnection = (sql: Sql, caller: Caller, datacenterId: string) => Promise<void>

/**
 * Registers a datacenter, with its connection when one is given. Throws `already-exists`, `forbidden`, `invalid-fields`,
 * `limit-reached`.
 */
export async function registerDatacenter(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  input: DatacenterInput,
  { storeConnection, ceilings }: { storeConnection: StoreConnection | undefined; ceilings: Ceilings },
): Promise<Versioned<Datacenter>> {
  const { slug, name, operatorId = caller.principal.partyId, connection: _, ...spec } = input
  requireOwner(caller.principal, 'datacenter.create', operatorId)
  refuseDerivedDomains(spec.failureDomains)
  const operator = await getParty(sql, operatorId)
  if (!operator.roles.includes('provider'))
    throw new Problem('state-conflict', `${operator.name} is not admitted as a provider`)
  requireRoom(await countDatacenters(sql, operatorId), ceilings.datacenters, 'datacenters of this party')
  const id = newId('dc', kit.clock, kit.random)
  await insertDatacenter(sql, { id, slug, name, operatorId, spec }, new Date(kit.clock.now())).catch((error) => {
    if (isUniqueViolation(error)) throw new Problem('already-exists', `There is a datacenter named ${slug} already`)
    throw error
  })
  await appendEvents(sql, kit, [
    {
      ...by(caller, { id, operator_id: operatorId }),
      type: 'datacenter.registered',
      data: { slug, name, region: spec.region },
    },
  ])
  await storeConnection?.(sql, caller, id)
  return getDatacenter(sql, kit, caller, id)
}

/** Who could declare the site of another would be told to share its fate. */
function refuseDerivedDomains(domains: readonly string[]): void {
  const errors = domains.flatMap((domain, index) =>
    derivedKinds.includes(kindOf(domain))
      ? [
          {
            pointer: `/failureDomains/${index}`,
            message: `${kindOf(domain)}/… is not declared: it follows from the datacenter`,
          },
        ]
      : [],
  )
  if (errors.length > 0)
    throw new Problem('invalid-fields', 'A failure domain is of a kind that nobody declares', errors)
}

type Versioned<T> = T & { readonly version: number }

export async function listDatacenters(
  kit: Kit,
  caller: Caller,
  page: PageRequest,
  filter: { slug?: string; region?: string },
) {
  return readPage(
    page,
    (part) => selectDatacenters(kit.database, part, filter),
    (row) => shown(kit, caller, row),
  )
}

const shown = (kit: Kit, { principal }: Caller, row: DatacenterRow) =>
  datacenterView(row, kit.clock.now(), mayTouch(principal, 'connection.read', row.operator_id))

/** Throws `not-found`. */
export async function getDatacenter(sql: Sql, kit: Kit, caller: Caller, id: string): Promise<Versioned<Datacenter>> {
  const row = await needDatacenter(sql, id)
  return { ...shown(kit, caller, row), version: row.version }
}

/** The look at a connection that the caller means to give. Throws `not-found`, `forbidden` and what `connect` throws. */
export async function lookAtConnection(
  kit: Kit,
  caller: Caller,
  connect: Connect,
  id: string,
  input: ConnectionInput,
): Promise<StoreConnection> {
  const { operator_id } = await needDatacenter(kit.database, id)
  requireOwner(caller.principal, 'datacenter.connect', operator_id)
  return connect(input)
}

/** Gives or replaces the connection. Throws `not-found`, `forbidden`, `version-conflict`, `state-conflict`. */
export async function connectDatacenter(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  storeConnection: StoreConnection,
  id: string,
  ifMatch: string | undefined,
): Promise<Versioned<Datacenter>> {
  const row = await lockDatacenter(sql, id)
  if (!row) throw new Problem('not-found', `There is no datacenter ${id}`)
  requireOwner(caller.principal, 'datacenter.connect', row.operator_id)
  checkIfMatch(ifMatch, row.version)
  await storeConnection(sql, caller, id)
  return getDatacenter(sql, kit, caller, id)
}

/** Puts up capacity. Throws `not-found`, `forbidden`, `invalid-fields`, `state-conflict`, `limit-reached`. */
export async function openOffer(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  ceilings: Ceilings,
  datacenterId: string,
  input: OfferInput,
): Promise<Versioned<Offer>> {
  const datacenter = await needDatacenter(sql, datacenterId)
  requireOwner(caller.principal, 'offer.create', datacenter.operator_id)
  if (datacenter.state === 'withdrawn') throw new Problem('state-conflict', `${datacenter.slug} is withdrawn`)
  const open = await countOpenOffers(sql, datacenterId, new Date(kit.clock.now()))
  requireRoom(open, ceilings.offers, `open offers of ${datacenter.slug}`)
  const { start, end } = input.period
  if (end !== null && Date.parse(end) <= Date.parse(start)) {
    throw new Problem('invalid-fields', 'The period ends before it starts', [
      { pointer: '/period/end', message: 'must be after start' },
    ])
  }
  const tooLarge = Object.entries(input.amounts).filter(([resource, text]) => !isAmount(resource, text))
  if (tooLarge.length > 0) {
    throw new Problem(
      'invalid-fields',
      'An amount is larger than can be counted',
      tooLarge.map(([resource]) => ({ pointer: `/amounts/${escapePointer(resource)}`, message: 'is too large' })),
    )
  }
  const amounts = Object.fromEntries(
    Object.entries(input.amounts).map(([resource, text]) => [resource, amountOf(resource, text, 'down')]),
  )
  const id = newId('off', kit.clock, kit.random)
  const row = await insertOffer(
    sql,
    {
      id,
      datacenterId,
      partyId: datacenter.operator_id,
      amounts,
      start,
      end,
      quality: input.quality,
      tariff: input.tariff,
    },
    new Date(kit.clock.now()),
  )
  await appendEvents(sql, kit, [
    {
      ...by(caller, datacenter),
      type: 'offer.opened',
      data: { offerId: id, amounts: input.amounts, quality: input.quality },
    },
  ])
  return { ...offerView(row), version: row.version }
}

export async function listOffers(kit: Kit, datacenterId: string, page: PageRequest) {
  await needDatacenter(kit.database, datacenterId)
  return readPage(page, (part) => selectOffers(kit.database, datacenterId, part), offerView)
}

/** Throws `not-found`. */
export async function getCapacity(kit: Kit, datacenterId: string): Promise<Capacity> {
  const [row] = await selectCapacity(kit.database, datacenterId, new Date(kit.clock.now()))
  if (!row) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  return capacityView(row, kit.clock.now())
}

/** What the cluster said last, for its operator. Throws `not-found`, also while nothing was ever seen; `forbidden`. */
export async function getInventory(kit: Kit, caller: Caller, datacenterId: string): Promise<Inventory> {
  const datacenter = await needDatacenter(kit.database, datacenterId)
  requireOwner(caller.principal, 'inventory.read', datacenter.operator_id)
  const row = await selectInventory(kit.database, datacenterId)
  if (!row)
    throw new Problem(
      'not-found',
      `Nothing was seen of ${datacenter.slug} yet: ${datacenter.contact_reason ?? 'it has no connection'}`,
    )
  return inventoryView(row, kit.clock.now())
}

async function needDatacenter(sql: Sql, id: string): Promise<DatacenterRow> {
  const row = await selectDatacenter(sql, id)
  if (!row) throw new Problem('not-found', `There is no datacenter ${id}`)
  return row
}

const by = (caller: Caller, { id, operator_id }: { id: string; operator_id: string }) => ({
  subject: { kind: 'datacenter', id },
  partyId: operator_id,
  actor: actorOf(caller),
  requestId: caller.requestId,
})
