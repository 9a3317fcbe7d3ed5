/** Keeps the names of hostings announced where they are active, and nowhere else; a site that does not answer stalls no other. */
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { createWake, patiently, type Reached, reasonOf } from '../clusters/index.ts'
import { Deposed, requireEpoch, type Term } from '../scheduling/index.ts'
import { type Todo, todoOf, withoutTaken } from './core/announce.ts'
import {
  deleteAnnouncement,
  noteAnnouncement,
  putAnnouncement,
  type SiteRow,
  selectIsActive,
  selectSites,
  selectStanding,
  selectWanted,
} from './store.ts'
import { announce, withdraw } from './write.ts'

export interface TrafficOptions {
  readonly reach: (datacenter: Reached) => Promise<ClusterClient>
  /** Between two looks without a hint. */
  readonly lookMs?: number
}

interface Hosting {
  readonly id: string
  readonly name: string
  readonly partyId: string
}

/** Runs until the term ends; rejects when another replica leads. */
export async function runTraffic(kit: Kit, { epoch, signal }: Term, { reach, lookMs = 15_000 }: TrafficOptions) {
  const look = createWake(kit.clock)
  const forget = kit.database.listen('placements', look.wake)
  const lanes = new Map<string, Promise<void>>()
  let deposed: unknown
  const lane = (site: SiteRow, work: () => Promise<void>) => {
    // One that is still busy has its turn at the next look.
    if (lanes.has(site.datacenter_id)) return
    const run = work()
      .catch((error: unknown) => {
        if (error instanceof Deposed) deposed = error
        else kit.log.info({ datacenter: site.slug, problem: reasonOf(error) }, 'names could not be announced')
      })
      .finally(() => lanes.delete(site.datacenter_id))
    lanes.set(site.datacenter_id, run)
  }
  while (!signal.aborted && deposed === undefined) {
    await patiently(kit, 'names', signal, async () => {
      const rows = await selectWanted(kit.database)
      const wanted = withoutTaken(rows)
      const standing = await selectStanding(kit.database)
      const todo = todoOf(wanted, standing)
      const hostings = new Map([...rows, ...standing].map((one) => [one.hostingId, one]))
      const endpoints = new Map(wanted.map((one) => [one.hostingId, one.endpoints]))
      for (const site of await selectSites(kit.database, [...new Set(todo.map(({ datacenterId }) => datacenterId))])) {
        const here = todo.filter(({ datacenterId }) => datacenterId === site.datacenter_id)
        lane(site, async () => {
          const client = await reach(site)
          try {
            for (const one of here) {
              if (signal.aborted) return
              const { name = '', partyId = '' } = hostings.get(one.hostingId) ?? {}
              const hosting = { id: one.hostingId, name, partyId }
              await doOne({ kit, epoch, client }, hosting, one, endpoints.get(one.hostingId) ?? [])
            }
          } finally {
            await client.close()
          }
        })
      }
    })
    await look.wait(lookMs, signal)
  }
  await Promise.all(lanes.values())
  await forget()
  if (deposed !== undefined) throw deposed
}

interface Desk {
  readonly kit: Kit
  readonly epoch: number
  readonly client: ClusterClient
}

async function doOne(
  { kit, epoch, client }: Desk,
  hosting: Hosting,
  { hostingId, datacenterId, what }: Todo,
  endpoints: Parameters<typeof announce>[2],
): Promise<void> {
  const now = () => new Date(kit.clock.now())
  const write = (work: (sql: Parameters<typeof requireEpoch>[0]) => Promise<void>) =>
    kit.database.transaction(async (sql) => {
      await requireEpoch(sql, epoch)
      await work(sql)
    })
  if (what === 'withdraw') {
    await withdraw(client, hosting.name)
    return write((sql) => deleteAnnouncement(sql, hostingId, datacenterId))
  }
  await write((sql) => noteAnnouncement(sql, hostingId, datacenterId, now()))
  const confirm = async () => {
    const isActive = await selectIsActive(kit.database, epoch, hostingId, datacenterId)
    if (isActive === undefined) throw new Deposed(`epoch ${epoch} leads no more`)
    return isActive
  }
  const outcome = await announce(client, hosting, endpoints, confirm).catch((error: unknown) => {
    if (error instanceof Deposed) throw error
    return { stands: false, problem: reasonOf(error) }
  })
  await write((sql) => putAnnouncement(sql, { hostingId, datacenterId }, outcome, now()))
}
