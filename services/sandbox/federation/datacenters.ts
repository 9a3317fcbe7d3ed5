/**
 * The datacenters of the demonstration: shared-service centres and municipalities of 100,000 inhabitants and more. Names and
 * positions are facts; everything about their datacenters (nodes, own use, evidence, tariffs, failure domains) is invented.
 */
import type { DatacenterInput, OfferInput } from '../../../schemas/index.ts'
import { type Random, seededRandom } from '../../shared/random.ts'
import { type Municipality, readMunicipalities, readPartnerships } from './tables.ts'

export interface DemoNode {
  readonly name: string
  readonly zone: string
  readonly cpu: string
  readonly memory: string
  readonly pods: string
}

export interface DemoPod {
  readonly name: string
  readonly namespace: string
  readonly nodeName: string
  readonly cpu: string
  readonly memory: string
}

export interface DemoDatacenter {
  readonly party: { readonly name: string; readonly oin: string }
  readonly datacenter: Omit<DatacenterInput, 'operatorId' | 'connection'>
  readonly offer: OfferInput
  readonly nodes: readonly DemoNode[]
  /** The owner's own work: 20 to 30 % of cpu and memory. */
  readonly ownPods: readonly DemoPod[]
}

export const storageClasses = [
  { name: 'standaard', readWriteMany: false },
  { name: 'gedeeld', readWriteMany: true },
] as const

const largeFromInhabitants = 100_000
const dayMs = 24 * 3_600_000

/** The same federation at every call with the same `now` (epoch milliseconds), from which evidence and offers are dated. */
export function demoDatacenters(now: number): DemoDatacenter[] {
  const municipalities = readMunicipalities()
  const centres = readPartnerships()
    .filter(({ type }) => type === 'ssc')
    .map(({ number, name, municipalities: members }) => {
      const served = members
        .map((member) => municipalities.get(member))
        .filter((m) => m !== undefined && Number.isFinite(m.latitude))
      return { name, oinNumber: number, served: served as Municipality[] }
    })
    .filter(({ served }) => served.length > 0)
  const large = [...municipalities.values()]
    .filter(({ inhabitants }) => inhabitants >= largeFromInhabitants)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((municipality, index) => ({
      name: `Gemeente ${municipality.name}`,
      oinNumber: 1_000 + index,
      served: [municipality],
    }))
  return [...centres, ...large].map((operator) => demoDatacenter(operator, now))
}

interface Operator {
  readonly name: string
  readonly oinNumber: number
  readonly served: readonly Municipality[]
}

function demoDatacenter({ name, oinNumber, served }: Operator, now: number): DemoDatacenter {
  const random = seededRandom(oinNumber)
  const inhabitants = served.reduce((sum, m) => sum + (m.inhabitants || 10_000), 0)
  const weighted = (key: 'latitude' | 'longitude') => {
    const value = served.reduce((sum, m) => sum + m[key] * (m.inhabitants || 10_000), 0) / inhabitants
    return Math.round(value * 10_000) / 10_000
  }
  const slug = slugOf(name.replace(/^Gemeente /, ''))
  const largest = served.reduce((a, b) => (b.inhabitants > a.inhabitants ? b : a))
  const position = { latitude: weighted('latitude'), longitude: weighted('longitude') }
  const nodes = demoNodes(slug, Math.min(24, Math.max(6, Math.round(inhabitants / 15_000))), random)
  return {
    party: { name, oin: demoOin(oinNumber) },
    datacenter: {
      slug,
      name: `Rekencentrum ${name.replace(/^Gemeente /, '')}`,
      region: slugOf(largest.province),
      position,
      failureDomains: [
        `grid/${gridOf(position)}`,
        ...(position.longitude < 4.9 || position.latitude > 52.6 ? [`flood/${floodOf(position)}`] : []),
      ],
      security: {
        classes: { availability: 3, integrity: 3, confidentiality: random.next() < 0.7 ? 3 : 2 },
        evidence: evidenceOf(random, now),
      },
      capabilities: ['internet', 'diginetwerk', ...(random.next() < 0.5 ? ['postgresql-16'] : [])],
      pue: Math.round((1.15 + random.next() * 0.35) * 100) / 100,
    },
    offer: demoOffer(nodes, random, now),
    nodes,
    ownPods: nodes.flatMap((node) => ownPodsOn(node, random)),
  }
}

/** Demonstration organisations have numbers that start with 00000099. */
export function demoOin(number: number): string {
  return `00000099${String(number).padStart(12, '0')}`
}

export function slugOf(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}

function demoNodes(slug: string, count: number, random: Random): DemoNode[] {
  const [cores, memoryGiB] = random.next() < 0.5 ? [32, 256] : [64, 512]
  return Array.from({ length: count }, (_, index) => ({
    name: `${slug}-node-${String(index + 1).padStart(2, '0')}`,
    zone: `room-${1 + (index % 2)}`,
    cpu: String(cores),
    memory: `${memoryGiB}Gi`,
    pods: '110',
  }))
}

/** Four pods a node that together take between 20 and 30 % of it, as owners say they use. */
function ownPodsOn(node: DemoNode, random: Random): DemoPod[] {
  const share = 0.21 + random.next() * 0.08
  const pods = ['directory', 'documents', 'mail', 'monitoring']
  return pods.map((name) => ({
    name: `${name}-${node.name}`,
    namespace: 'own-services',
    nodeName: node.name,
    cpu: `${Math.floor((Number(node.cpu) * 1000 * share) / pods.length)}m`,
    memory: `${Math.floor((Number.parseInt(node.memory, 10) * 1024 * share) / pods.length)}Mi`,
  }))
}

/** Half of what the nodes have: what is left of the spare capacity stays with the owner. */
function demoOffer(nodes: readonly DemoNode[], random: Random, now: number): OfferInput {
  const total = (key: 'cpu' | 'memory') => nodes.reduce((sum, node) => sum + Number.parseInt(node[key], 10), 0)
  const price = 0.85 + random.next() * 0.3
  return {
    amounts: {
      cpu: String(Math.floor(total('cpu') * 0.5)),
      memory: `${Math.floor(total('memory') * 0.5)}Gi`,
      pods: String(nodes.length * 40),
      'storage/standaard': `${nodes.length * 2}Ti`,
      'storage/gedeeld': `${nodes.length}Ti`,
    },
    period: { start: new Date(now - dayMs).toISOString(), end: null },
    quality: random.next() < 0.8 ? 'guaranteed' : 'revocable',
    tariff: {
      cpu: Math.round(9_000_000 * price),
      memory: Math.round(2_200_000 * price),
      'storage/standaard': Math.round(90_000 * price),
      'storage/gedeeld': Math.round(120_000 * price),
    },
  }
}

function evidenceOf(random: Random, now: number): { kind: string; validUntil: string }[] {
  const kinds = [
    'iso27001',
    'bio2',
    ...(random.next() < 0.6 ? ['haven'] : []),
    ...(random.next() < 0.4 ? ['nen7510'] : []),
  ]
  return kinds.map((kind) => ({
    kind,
    validUntil: new Date(now + Math.round((200 + random.next() * 800) * dayMs)).toISOString(),
  }))
}

const gridOf = ({ latitude, longitude }: { latitude: number; longitude: number }) =>
  `${latitude > 52.3 ? 'north' : 'south'}-${longitude < 5 ? 'west' : longitude < 6 ? 'middle' : 'east'}`
const floodOf = ({ latitude }: { latitude: number }) =>
  latitude > 52.6 ? 'wadden' : latitude > 51.95 ? 'holland' : 'delta'
