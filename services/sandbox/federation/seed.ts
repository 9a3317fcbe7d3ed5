/** Brings the demonstration into a broker, over its API like anybody else; may be killed anywhere and run again. */
import type { Datacenter, Hosting, JoinToken, Offer, Party, Role, System, Token } from '../../../schemas/index.ts'
import { type ApiClient, createApiClient } from '../../shared/api-client.ts'
import type { Clock } from '../../shared/clock.ts'
import { base32 } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import type { DemoDatacenter } from './datacenters.ts'
import { auditor, demoSystems, programmes } from './hostings.ts'

export interface SeedOptions {
  readonly api: string
  readonly loketToken: string
  readonly federation: readonly DemoDatacenter[]
  /** The kubeconfig of a datacenter's simulated cluster. */
  readonly kubeconfigOf: (datacenter: DemoDatacenter) => string
  /** The kubeconfigs are not those of the last seed, as far as is known: a broker cannot say what it was given. */
  readonly changed: boolean
  /** By which the datacenters join; without them the broker is given their kubeconfigs. */
  readonly agents?: Agents
  readonly clock: Clock
  readonly random: Random
  /** Told what is being done, for somebody who waits. */
  readonly progress: (text: string) => void
}

/** The agents of the datacenters, by whoever runs them. */
export interface Agents {
  /** Has joined before, with a key that it still has. */
  isKnown(slug: string): boolean
  /** `joinToken` is undefined for one that has joined. */
  start(slug: string, kubeconfig: string, joinToken: string | undefined): Promise<void>
}

export interface SeedSummary {
  readonly datacenters: number
  readonly hostings: number
}

const atOnce = 8
const activeWithinMs = 60_000

/** What the broker has already, by what the demonstration knows it by: most starts find everything. */
interface Known {
  readonly parties: Map<string, Party>
  readonly datacenters: ReadonlyMap<string, Datacenter>
  readonly hostings: ReadonlySet<string>
}

export async function seedFederation(options: SeedOptions): Promise<SeedSummary> {
  const loket = createApiClient(options.api, options.loketToken)
  const { federation } = options
  const known = await readKnown(loket)
  let done = 0
  await eachOf(federation, async (each) => {
    await ensureDatacenter(loket, known, each, options)
    done += 1
    if (!known.datacenters.has(each.datacenter.slug))
      options.progress(`registering datacenters: ${done} of ${federation.length}`)
  })
  await ensureParty(loket, known, auditor, ['auditor'])
  for (const programme of programmes) await ensureParty(loket, known, programme, ['consumer'])
  const hostings = await seedHostings(loket, known, options)
  return { datacenters: federation.length, hostings }
}

async function readKnown(loket: ApiClient): Promise<Known> {
  const [parties, datacenters, hostings] = await Promise.all([
    readAll<Party>(loket, '/parties'),
    readAll<Datacenter>(loket, '/datacenters'),
    readAll<Hosting>(loket, '/hostings'),
  ])
  return {
    parties: new Map(parties.map((party) => [party.oin, party])),
    datacenters: new Map(datacenters.map((datacenter) => [datacenter.slug, datacenter])),
    hostings: new Set(hostings.map(({ name }) => name)),
  }
}

/** A whole list, page by page. */
async function readAll<T>(loket: ApiClient, path: string): Promise<T[]> {
  const all: T[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const place = cursor === '' ? '' : `&cursor=${cursor}`
    const page: { items: T[]; next?: string } = await loket.get(`${path}?limit=500${place}`)
    all.push(...page.items)
    cursor = page.next
  }
  return all
}

async function ensureDatacenter(
  loket: ApiClient,
  known: Known,
  demo: DemoDatacenter,
  options: SeedOptions,
): Promise<void> {
  const { kubeconfigOf, agents } = options
  const kubeconfig = kubeconfigOf(demo)
  const operator = await ensureParty(loket, known, demo.party, ['provider', 'consumer'])
  const connection = { kind: 'sandbox', kubeconfig }
  const standing = known.datacenters.get(demo.datacenter.slug)
  const datacenter =
    standing ??
    (await loket.send<Datacenter>(
      'POST',
      '/datacenters',
      { ...demo.datacenter, operatorId: operator.id, ...(!agents && { connection }) },
      'demonstration',
    ))
  if (agents) await join(loket, datacenter, kubeconfig, agents, options)
  else if (standing) await reconnect(loket, standing, kubeconfig, options)
  const offers = await loket.get<{ items: Offer[] }>(`/datacenters/${datacenter.id}/offers`)
  if (offers.items.length === 0)
    await loket.send('POST', `/datacenters/${datacenter.id}/offers`, demo.offer, 'demonstration')
}

/** Starts the agent, with a join token unless it is known with a certificate that is still good. */
async function join(
  loket: ApiClient,
  { id, slug, connection }: Datacenter,
  kubeconfig: string,
  agents: Agents,
  { clock, random }: SeedOptions,
): Promise<void> {
  const until = Date.parse(connection?.agent?.certificateExpiresAt ?? '')
  const isGood = connection?.kind === 'agent' && agents.isKnown(slug) && until > clock.now()
  const asked = { replacesAgent: true }
  // Shown once, so a start that was killed in between asks for another.
  const intention = base32(random.bytes(16))
  const token = isGood
    ? undefined
    : (await loket.send<JoinToken>('POST', `/datacenters/${id}/join-tokens`, asked, intention)).token
  await agents.start(slug, kubeconfig, token)
}

/** The sandbox may have had to take another port since, or have other credentials. */
async function reconnect(
  loket: ApiClient,
  { id, connection }: Datacenter,
  kubeconfig: string,
  { changed }: SeedOptions,
): Promise<void> {
  const server = /server: *"?([^\s"]+)/.exec(kubeconfig)?.[1]
  if (changed || connection?.server !== server)
    await loket.send('PUT', `/datacenters/${id}/connection`, { kind: 'sandbox', kubeconfig }, 'demonstration')
}

async function ensureParty(
  loket: ApiClient,
  { parties }: Known,
  { name, oin }: { name: string; oin: string },
  roles: Role[],
): Promise<Party> {
  const party = parties.get(oin) ?? (await loket.send<Party>('POST', '/parties', { name, oin, roles }, 'demonstration'))
  parties.set(oin, party)
  return party
}

/** Asks for what is not there yet, as the programme that asks; returns how many hostings the demonstration has. */
async function seedHostings(loket: ApiClient, known: Known, options: SeedOptions): Promise<number> {
  const wanted = demoSystems()
  const missing = wanted.filter(({ hostings }) => hostings.some(({ name }) => !known.hostings.has(name)))
  if (missing.length > 0) await untilActive(loket, options)
  for (const { key, oin } of programmes) {
    const mine = missing.filter(({ programme }) => programme === key)
    if (mine.length === 0) continue
    const grant = { subject: 'demonstration', role: 'consumer' }
    // A token is shown once, so a start that was killed in between asks for another.
    const path = `/parties/${known.parties.get(oin)?.id}/tokens`
    const { token } = await loket.send<Token>('POST', path, grant, base32(options.random.bytes(16)))
    const programme = createApiClient(options.api, token)
    for (const each of mine) {
      options.progress(`asking for hosting: ${each.system.name} for ${key}`)
      const { items } = await programme.get<{ items: System[] }>(`/systems?slug=${each.system.slug}`)
      const system = items[0] ?? (await programme.send<System>('POST', '/systems', each.system, 'demonstration'))
      for (const hosting of each.hostings.filter(({ name }) => !known.hostings.has(name))) {
        await programme.send('POST', '/hostings', { ...hosting, systemId: system.id }, 'demonstration')
      }
    }
  }
  return wanted.reduce((sum, { hostings }) => sum + hostings.length, 0)
}

/** Waits until the datacenters were seen, so that the first requests find the whole federation; not for ever. */
async function untilActive(loket: ApiClient, { clock, progress }: SeedOptions): Promise<void> {
  const deadline = clock.monotonic() + activeWithinMs
  for (;;) {
    const items = await readAll<Datacenter>(loket, '/datacenters')
    const active = items.filter(({ state }) => state === 'active').length
    progress(`connecting to clusters: ${active} of ${items.length}`)
    if (active === items.length || clock.monotonic() > deadline) return
    await clock.sleep(100)
  }
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
