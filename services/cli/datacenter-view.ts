/** How a datacenter looks on a terminal. Unknown, none and unlimited are three different things, and so they look. */
import type { Capacity, CapacityResource, Contact, Datacenter, Offer } from '../../schemas/index.ts'
import { type Cutting, fencingLines } from './fencing-view.ts'
import { type Cell, renderTable } from './table.ts'
import { day, duration, line, type Paint, roughAmount } from './text.ts'

const contactTones = {
  reachable: 'good',
  suspect: 'doubtful',
  unreachable: 'bad',
  lost: 'bad',
  unknown: 'quiet',
} as const

export const contactCell = (contact: Contact): Cell => ({ text: contact, tone: contactTones[contact] })

/** Facts, then the capacity with its age, then the offers. */
export function datacenterText(
  datacenter: Datacenter,
  capacity: Capacity,
  offers: readonly Offer[],
  cutting: Cutting,
  paint: Paint,
): string {
  const { slug, name, id, region, position, state, contact, contactReason, connection, inventory, security } =
    datacenter
  const { availability, integrity, confidentiality } = security.classes
  const evidence = security.evidence.map(({ kind, validUntil }) => `${kind} until ${day(validUntil)}`)
  const facts = [
    line`${slug} (${name})`,
    line`id              ${id}`,
    line`place           ${region}, ${position.latitude} N ${position.longitude} E`,
    line`state           ${state}`,
    `contact         ${paint(contactTones[contact], contact)}${contactReason === null ? '' : line`: ${contactReason}`}`,
    connection ? connectionText(connection) : 'connection      none yet',
    inventory
      ? line`cluster         ${inventory.nodes} nodes, Kubernetes ${inventory.kubernetesVersion}`
      : 'cluster         never seen',
    ...fencingLines(datacenter.fencing, cutting),
    line`classes (BIV)   ${availability}/${integrity}/${confidentiality}`,
    line`evidence        ${evidence.join(', ') || 'none'}`,
    line`failure domains ${datacenter.failureDomains.join(', ') || 'the site alone'}`,
    line`capabilities    ${datacenter.capabilities.join(', ') || 'none'}`,
  ]
  return `${facts.join('\n')}\n\n${capacityText(capacity, paint)}\n${offersText(offers, paint)}`
}

function capacityText({ resources, ageSeconds }: Capacity, paint: Paint): string {
  const age = ageSeconds === null ? 'the cluster was never seen' : `seen ${duration(ageSeconds)} ago`
  const columns = ['ALLOCATABLE', 'OWN USE', 'OFFERED', 'HOSTED', 'RESERVED', 'FREE'].map((title) => ({
    title,
    right: true,
  }))
  const table = renderTable(
    [{ title: 'RESOURCE' }, ...columns],
    resources.map((row) => [
      row.resource,
      ...[row.allocatable, row.ownUse, row.offered, row.hosted, row.fallbackReserved].map((amount) =>
        figure(row, amount),
      ),
      freeCell(row),
    ]),
    paint,
  )
  return `Capacity, ${age} (? is not known)\n${table}`
}

const figure = ({ resource }: CapacityResource, amount: string | null): string =>
  amount === null ? '?' : amount === 'unlimited' ? amount : roughAmount(resource, amount)

const freeCell = (row: CapacityResource): Cell =>
  row.free === '0' ? { text: row.free, tone: 'doubtful' } : figure(row, row.free)

const minute = (instant: string) => `${instant.slice(0, 16)}Z`

function offersText(offers: readonly Offer[], paint: Paint): string {
  if (offers.length === 0) return 'No offers.\n'
  const table = renderTable(
    [
      { title: 'OFFER' },
      { title: 'STATE' },
      { title: 'QUALITY' },
      { title: 'FROM' },
      { title: 'UNTIL' },
      { title: 'AMOUNTS' },
    ],
    offers.map(({ id, state, quality, period, amounts }) => [
      id,
      state,
      quality,
      minute(period.start),
      period.end === null ? 'open' : minute(period.end),
      Object.entries(amounts)
        .map(([resource, amount]) => `${resource} ${amount}`)
        .join(', '),
    ]),
    paint,
  )
  return `Offers\n${table}`
}

/** How it is reached; of an agent also what it said of itself. */
function connectionText({ kind, server, agent }: NonNullable<Datacenter['connection']>): string {
  if (!agent) return line`connection      ${kind} ${server ?? ''}`.trimEnd()
  const { version, clockSkewSeconds: skew, certificateExpiresAt } = agent
  const said = version === null ? 'never connected' : `${version}, its clock ${(skew ?? 0).toFixed(1)} s off`
  return line`connection      ${kind} ${said}, certificate until ${day(certificateExpiresAt)}`
}
