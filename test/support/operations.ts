/** Every operation of the contract: who may call it, a call that succeeds, and what a stranger of the same role is told. */
import type { Role } from '../../schemas/index.ts'
import type { TestApi } from './api.ts'
import { acceptableKubeconfig } from './kubeconfig.ts'

/** Ids of things that exist, one of each kind. */
export interface World {
  readonly partyId: string
  readonly datacenterId: string
  readonly systemId: string
  readonly quoteId: string
  readonly hostingId: string
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Relative to /api/v1; `id` is what stands for `{id}`. */
  readonly path: (world: World) => string
  readonly body?: (world: World) => object
  /** Who makes the call that succeeds. */
  readonly as: Role
  /** Every role that may; `public` needs no credential at all. */
  readonly roles: readonly Role[] | 'public'
  readonly status: number
  /** What another party with the same role is told about the same thing; undefined where nothing belongs to a party. */
  readonly stranger?: 400 | 403 | 404
  /** The types of the events that tell of it. */
  readonly events?: readonly string[]
  /** The answer tells where the new thing can be read. */
  readonly located?: true
}

const everybody = ['provider', 'consumer', 'loket', 'auditor'] as const
const providers = ['provider', 'loket'] as const
const consumers = ['consumer', 'loket'] as const
const readers = ['consumer', 'loket', 'auditor'] as const

const classes = { availability: 2, integrity: 2, confidentiality: 2 }
const security = { classes, evidence: [{ kind: 'iso27001', validUntil: '2099-01-01T00:00:00Z' }] }
const period = { start: '2026-01-01T00:00:00Z', end: '2098-01-01T00:00:00Z' }

const demand = ({ systemId }: World) => ({
  systemId,
  components: [{ name: 'web', replicas: 1, requests: { cpu: '100m', memory: '64Mi' }, onePerNode: true }],
  volumes: [{ name: 'files', storageClass: 'gedeeld', size: '1Gi', accessMode: 'ReadWriteMany', count: 1 }],
  constraints: {
    regions: ['utrecht'],
    evidence: ['iso27001'],
    maxDistance: { from: { latitude: 52, longitude: 5 }, km: 100 },
    maxPriceCentsPerMonth: 1_000_000,
  },
  fallback: { mode: 'cold', minDistanceKm: 1, differ: ['site'] },
  period,
})

/** By operationId. What the document has and this has not fails test/api/operations.test.ts. */
export const operations: Readonly<Record<string, Operation>> = {
  getDescription: { method: 'GET', path: () => 'openapi.json', as: 'auditor', roles: 'public', status: 200 },
  listEvents: { method: 'GET', path: () => 'events', as: 'consumer', roles: everybody, status: 200 },

  admitParty: {
    method: 'POST',
    path: () => 'parties',
    body: () => ({ name: 'Gemeente Voorbeeld', oin: '00000099000000009999', roles: ['consumer'] }),
    as: 'loket',
    roles: ['loket'],
    status: 201,
    events: ['party.admitted'],
    located: true,
  },
  listParties: { method: 'GET', path: () => 'parties', as: 'consumer', roles: everybody, status: 200 },
  getParty: { method: 'GET', path: (w) => `parties/${w.partyId}`, as: 'provider', roles: everybody, status: 200 },
  grantToken: {
    method: 'POST',
    path: (w) => `parties/${w.partyId}/tokens`,
    body: () => ({ subject: 'ci', role: 'consumer', expiresAt: '2098-01-01T00:00:00Z' }),
    as: 'loket',
    roles: ['loket'],
    status: 201,
    events: ['token.issued'],
  },

  registerDatacenter: {
    method: 'POST',
    path: () => 'datacenters',
    body: () => ({
      slug: 'parkstad',
      name: 'Parkstad IT',
      region: 'limburg',
      position: { latitude: 50.88, longitude: 5.98 },
      failureDomains: ['grid/zuid'],
      security,
      capabilities: ['gpu'],
      pue: 1.2,
      connection: { kind: 'push', kubeconfig: acceptableKubeconfig() },
    }),
    as: 'provider',
    roles: providers,
    status: 201,
    events: ['datacenter.registered', 'datacenter.connected'],
    located: true,
  },
  listDatacenters: { method: 'GET', path: () => 'datacenters', as: 'consumer', roles: everybody, status: 200 },
  getDatacenter: { method: 'GET', path: at('datacenters'), as: 'consumer', roles: everybody, status: 200 },
  connectDatacenter: {
    method: 'PUT',
    path: at('datacenters', '/connection'),
    body: () => ({ kind: 'push', kubeconfig: acceptableKubeconfig() }),
    as: 'provider',
    roles: providers,
    status: 200,
    events: ['datacenter.connected'],
    stranger: 403,
  },
  openOffer: {
    method: 'POST',
    path: at('datacenters', '/offers'),
    body: () => ({ amounts: { cpu: '8', memory: '64Gi' }, period, quality: 'guaranteed', tariff: { cpu: 10 } }),
    as: 'provider',
    roles: providers,
    status: 201,
    events: ['offer.opened'],
    stranger: 403,
    located: true,
  },
  listOffers: { method: 'GET', path: at('datacenters', '/offers'), as: 'auditor', roles: everybody, status: 200 },
  getCapacity: { method: 'GET', path: at('datacenters', '/capacity'), as: 'consumer', roles: everybody, status: 200 },
  getInventory: {
    method: 'GET',
    path: at('datacenters', '/inventory'),
    as: 'provider',
    roles: ['provider', 'loket', 'auditor'],
    status: 200,
    stranger: 403,
  },

  registerSystem: {
    method: 'POST',
    path: () => 'systems',
    body: () => ({ slug: 'klant', name: 'Open Klant', classes, criticality: 'high', contacts: ['a@example.nl'] }),
    as: 'consumer',
    roles: consumers,
    status: 201,
    events: ['system.registered'],
    located: true,
  },
  listSystems: { method: 'GET', path: () => 'systems', as: 'consumer', roles: readers, status: 200 },
  getSystem: { method: 'GET', path: at('systems'), as: 'consumer', roles: readers, status: 200, stranger: 404 },

  quoteHosting: {
    method: 'POST',
    path: () => 'quotes',
    body: demand,
    as: 'consumer',
    roles: consumers,
    status: 201,
    events: ['quote.given'],
    stranger: 400,
    located: true,
  },
  endQuote: {
    method: 'DELETE',
    path: at('quotes'),
    as: 'consumer',
    roles: consumers,
    status: 200,
    events: ['quote.ended'],
    stranger: 404,
  },
  getQuote: { method: 'GET', path: at('quotes'), as: 'consumer', roles: readers, status: 200, stranger: 404 },

  requestHosting: {
    method: 'POST',
    path: () => 'hostings',
    body: (w) => ({ name: 'klant-prod', ...demand(w), priority: 1, waitForCapacity: false }),
    as: 'consumer',
    roles: consumers,
    status: 202,
    events: ['hosting.requested'],
    stranger: 400,
    located: true,
  },
  listUnmetDemand: { method: 'GET', path: () => 'unmet-demand', as: 'provider', roles: everybody, status: 200 },
  listHostings: { method: 'GET', path: () => 'hostings', as: 'consumer', roles: readers, status: 200 },
  getHosting: { method: 'GET', path: at('hostings'), as: 'consumer', roles: readers, status: 200, stranger: 404 },
  endHosting: {
    method: 'DELETE',
    path: at('hostings'),
    as: 'consumer',
    roles: consumers,
    status: 202,
    events: ['hosting.ended'],
    stranger: 404,
    located: true,
  },
}

type Kind = 'datacenters' | 'systems' | 'quotes' | 'hostings'

function at(kind: Kind, rest = ''): (world: World) => string {
  return (world) => {
    const ids = {
      datacenters: world.datacenterId,
      systems: world.systemId,
      quotes: world.quoteId,
      hostings: world.hostingId,
    }
    return `${kind}/${ids[kind]}${rest}`
  }
}

/** Makes one of each. The hosting waits in the queue, for no scheduler runs. */
export async function makeWorld(api: TestApi): Promise<World> {
  const datacenterId = await api.activeDatacenter({ slug: 'utrecht' })
  await api.activeDatacenter({ slug: 'amersfoort', position: { latitude: 52.16, longitude: 5.39 } })
  const made = async (path: string, body: object) => (await api.call('consumer', 'POST', path, { body })).body.id
  const systemId = await made('systems', { slug: 'zaak', name: 'Open Zaak', classes })
  const world = { partyId: api.parties.consumer, datacenterId, systemId, quoteId: '', hostingId: '' }
  const quoteId = await made('quotes', demand(world))
  const hostingId = await made('hostings', { name: 'zaak-prod', ...demand(world) })
  return { ...world, quoteId, hostingId }
}

/** Calls an operation as the table says; `as` and `body` may be others. */
export function callOperation(
  api: TestApi,
  { method, path, body, as }: Operation,
  world: World,
  changed: { as?: Parameters<TestApi['call']>[0]; body?: object } = {},
) {
  const sent = changed.body ?? body?.(world)
  return api.call(changed.as ?? as, method, path(world), { ...(sent && { body: sent }) })
}
