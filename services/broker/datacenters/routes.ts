/** /datacenters: register, connect, offer, and read capacity and inventory. */
import {
  Capacity,
  ConnectionInput,
  Datacenter,
  DatacenterInput,
  Inventory,
  Offer,
  OfferInput,
  page,
} from '../../../schemas/index.ts'
import type { Ceilings } from '../../shared/ceilings.ts'
import { ChangeHeaders, FilterWord, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { etagOf, sendLive } from '../../shared/http/etag.ts'
import { mutate, mutatePrepared } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import {
  type Connect,
  connectDatacenter,
  getCapacity,
  getDatacenter,
  getInventory,
  listDatacenters,
  listOffers,
  lookAtConnection,
  openOffer,
  registerDatacenter,
} from './service.ts'

const tags = ['datacenters']
const filters = {
  slug: FilterWord,
  region: FilterWord,
}

export function datacenterRoutes(app: HttpServer, kit: Kit, connect: Connect, ceilings: Ceilings): void {
  app.post(
    '/datacenters',
    {
      config: { action: 'datacenter.create' },
      schema: {
        operationId: 'registerDatacenter',
        summary: 'Register a datacenter',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: DatacenterInput,
        response: { 201: Datacenter, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const { connection } = request.body
        const storeConnection = connection && (await connect(connection))
        return async (sql) => {
          const { version, ...body } = await registerDatacenter(sql, kit, caller, request.body, {
            storeConnection,
            ceilings,
          })
          return { status: 201, body, location: `/api/v1/datacenters/${body.id}`, etag: etagOf(version) }
        }
      }),
  )
  app.get(
    '/datacenters',
    {
      config: { action: 'datacenter.read' },
      schema: {
        operationId: 'listDatacenters',
        summary: 'List datacenters',
        tags,
        querystring: listQuery(filters),
        response: { 200: page(Datacenter), ...problemAnswers },
      },
    },
    (request) => listDatacenters(kit, callerOf(request), pageRequest(request.query), request.query),
  )
  app.get(
    '/datacenters/:id',
    {
      config: { action: 'datacenter.read' },
      schema: {
        operationId: 'getDatacenter',
        summary: 'Read a datacenter',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Datacenter, ...problemAnswers },
      },
    },
    async (request, reply) =>
      sendLive(reply, await getDatacenter(kit.database, kit, callerOf(request), request.params.id)),
  )
  app.put(
    '/datacenters/:id/connection',
    {
      config: { action: 'datacenter.connect' },
      schema: {
        operationId: 'connectDatacenter',
        summary: 'Give or replace the connection',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: ConnectionInput,
        response: { 200: Datacenter, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const { id } = request.params
        const storeConnection = await lookAtConnection(kit, caller, connect, id, request.body)
        const ifMatch = request.headers['if-match']
        return async (sql) => {
          const { version, ...body } = await connectDatacenter(sql, kit, caller, storeConnection, id, ifMatch)
          return { status: 200, body, etag: etagOf(version) }
        }
      }),
  )
  offerRoutes(app, kit, ceilings)
  app.get(
    '/datacenters/:id/capacity',
    {
      config: { action: 'capacity.read' },
      schema: {
        operationId: 'getCapacity',
        summary: 'What is offered, taken and free',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Capacity, ...problemAnswers },
      },
    },
    (request) => getCapacity(kit, request.params.id),
  )
  app.get(
    '/datacenters/:id/inventory',
    {
      config: { action: 'inventory.read' },
      schema: {
        operationId: 'getInventory',
        summary: 'What the cluster said last',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Inventory, ...problemAnswers },
      },
    },
    (request) => getInventory(kit, callerOf(request), request.params.id),
  )
}

function offerRoutes(app: HttpServer, kit: Kit, ceilings: Ceilings): void {
  app.post(
    '/datacenters/:id/offers',
    {
      config: { action: 'offer.create' },
      schema: {
        operationId: 'openOffer',
        summary: 'Offer spare capacity',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: OfferInput,
        response: { 201: Offer, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const { version, ...body } = await openOffer(sql, kit, caller, ceilings, request.params.id, request.body)
        return { status: 201, body, location: `/api/v1/datacenters/${request.params.id}/offers`, etag: etagOf(version) }
      }),
  )
  app.get(
    '/datacenters/:id/offers',
    {
      config: { action: 'offer.read' },
      schema: {
        operationId: 'listOffers',
        summary: 'List the offers of a datacenter',
        tags,
        params: IdParams,
        querystring: listQuery({}),
        response: { 200: page(Offer), ...problemAnswers },
      },
    },
    (request) => listOffers(kit, request.params.id, pageRequest(request.query)),
  )
}
