/** Brings the demonstration into a broker, over its API like anybody else; may be killed anywhere and run again. */
import type { Datacenter, Hosting, Offer, Party, Role, System, Token } from '../../../schemas/index.ts'
import { type ApiClient, createApiClient } from '../../shared/api-client.ts'
import type { Clock } from '../../shared/clock.ts'
import { base32 } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import { type DemoDatacenter, demoDatacenters } from './datacenters.ts'
import { auditor, type DemoSystem, demoSystems, programmes } from './hostings.ts'

export interface SeedOptions {
  readonly api: string
  readonly loketToken: string
  /** The kubeconfig of a datacenter's simulated cluster. */
  readonly kubeconfigOf: (datacenter: DemoDatacenter) => string
  readonly clock: Clock
  readonly random: Random
  /** Told what is being done, for somebody who waits. */
  readonly progress: (text: string) => void
}

export interface SeedSummary {
  readonly datacenters: number
  readonly hostings: number
}

const atOnce = 8
const activeWithinMs = 60_000

export async function seedFederation(options: SeedOptions): Promise<SeedSummary> {
  const loket = createApiClient(options.api, options.loketToken)
  const federation = demoDatacenters(options.clock.now())
  let done = 0
  await eachOf(federation, async (each) => {
    await ensureDatacenter(loket, each, options.kubeconfigOf(each))
    options.progress(`registering datacenters: ${++done} of ${federation.length}`)
  })
  await ensureParty(loket, auditor, ['auditor'])
  for (const programme of programmes) await ensureParty(loket, programme, ['consumer'])
  const hostings = await seedHostings(loket, options)
  return { datacenters: federation.length, hostings }
}

async function ensureDatacenter(loket: ApiClient, demo: DemoDatacenter, kubeconfig: string): Promise<void> {
  const operator = await ensureParty(loket, demo.party, ['provider', 'consumer'])
  const connection = { kind: 'sandbox', kubeconfig }
  const { items } = await loket.get<{ items: Datacenter[] }>(`/datacenters?slug=${demo.datacenter.slug}`)
  const [known] = items
  const datacenter =
    known ??
    (await loket.send<Datacenter>(
      'POST',
      '/datacenters',
      { ...demo.datacenter, operatorId: operator.id, connection },
      'demonstration',
    ))
  // The sandbox may have had to take another port since.
  const server = /server: *"?([^\s"]+)/.exec(kubeconfig)?.[1]
  if (known && known.connection?.server !== server)
    await loket.send('PUT', `/datacenters/${known.id}/connection`, connection, 'demonstration')
  const offers = await loket.get<{ items: Offer[] }>(`/datacenters/${datacenter.id}/offers`)
  if (offers.items.length === 0)
    await loket.send('POST', `/datacenters/${datacenter.id}/offers`, demo.offer, 'demonstration')
}

async function ensureParty(
  loket: ApiClient,
  { name, oin }: { name: string; oin: string },
  roles: Role[],
): Promise<Party> {
  const { items } = await loket.get<{ items: Party[] }>(`/parties?oin=${oin}`)
  return items[0] ?? loket.send<Party>('POST', '/parties', { name, oin, roles }, 'demonstration')
}

/** Asks for what is not there yet, as the programme that asks; returns how many hostings the demonstration has. */
async function seedHostings(loket: ApiClient, options: SeedOptions): Promise<number> {
  const wanted = demoSystems()
  const missing: DemoSystem[] = []
  for (const each of wanted) {
    const found = await Promise.all(
      each.hostings.map(({ name }) => loket.get<{ items: Hosting[] }>(`/hostings?name=${name}`)),
    )
    if (found.some(({ items }) => items.length === 0)) missing.push(each)
  }
  if (missing.length > 0) await untilActive(loket, options)
  for (const { key, oin } of programmes) {
    const mine = missing.filter(({ programme }) => programme === key)
    if (mine.length === 0) continue
    const { items } = await loket.get<{ items: Party[] }>(`/parties?oin=${oin}`)
    const grant = { subject: 'demonstration', role: 'consumer' }
    // A token is shown once, so a start that was killed in between asks for another.
    const { token } = await loket.send<Token>(
      'POST',
      `/parties/${items[0]?.id}/tokens`,
      grant,
      base32(options.random.bytes(16)),
    )
    const programme = createApiClient(options.api, token)
    for (const each of mine) {
      options.progress(`asking for hosting: ${each.system.name} for ${key}`)
      const known = await programme.get<{ items: System[] }>(`/systems?slug=${each.system.slug}`)
      const system = known.items[0] ?? (await programme.send<System>('POST', '/systems', each.system, 'demonstration'))
      for (const hosting of each.hostings) {
        const there = await programme.get<{ items: Hosting[] }>(`/hostings?name=${hosting.name}`)
        if (there.items.length === 0)
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
    const { items } = await loket.get<{ items: Datacenter[] }>('/datacenters?limit=500')
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
