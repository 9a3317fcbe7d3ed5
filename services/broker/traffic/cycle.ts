/** Keeps the names of hostings announced where they are active, and nowhere else; a site that does not answer stalls no other. */
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { createWake, patiently, type Reached, reasonOf } from '../clusters/index.ts'
import { createLanes, Deposed, requireEpoch, type Term } from '../scheduling/index.ts'
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
export async function runTraffic(kit: Kit, { epoch, signal: term }: Term, { reach, lookMs = 15_000 }: TrafficOptions) {
  const look = createWake(kit.clock)
  const forget = kit.database.listen('placements', look.wake)
  const lanes = createLanes(term)
  const { signal } = lanes
  const lane = (site: SiteRow, work: () => Promise<void>) =>
    lanes.begin(site.datacenter_id, async () => {
      try {
        await work()
      } catch (error) {
        if (error instanceof Deposed) throw error
        kit.log.info({ datacenter: site.slug, problem: reasonOf(error) }, 'names could not be announced')
      }
    })
  try {
    while (!signal.aborted) {
      await patiently(kit, 'names', signal, async () => {
        for (const { site, todo, work } of await selectWork(kit))
          lane(site, async () => {
            const client = await reach(site)
            try {
              for (const one of todo) {
                if (signal.aborted) return
                await work({ kit, epoch, client }, one)
              }
            } finally {
              await client.close()
            }
          })
      })
      await look.wait(lookMs, signal)
    }
  } finally {
    await lanes.close().finally(forget)
  }
}

interface SiteWork {
  readonly site: SiteRow
  readonly todo: readonly Todo[]
  readonly work: (desk: Desk, one: Todo) => Promise<void>
}

/** What differs from what is wanted, by the site where that is. */
async function selectWork({ database }: Kit): Promise<SiteWork[]> {
  const rows = await selectWanted(database)
  // What a restored store does not know is left as it stands.
  const doubted = new Set(rows.flatMap(({ hostingId, inDoubt }) => (inDoubt ? [hostingId] : [])))
  const isKnown = ({ hostingId }: { readonly hostingId: string }) => !doubted.has(hostingId)
  const wanted = withoutTaken(rows).filter(isKnown)
  const standing = (await selectStanding(database)).filter(isKnown)
  const bySite = Map.groupBy(todoOf(wanted, standing), ({ datacenterId }) => datacenterId)
  const hostings = new Map([...rows, ...standing].map((one) => [one.hostingId, one]))
  const endpoints = new Map(wanted.map((one) => [one.hostingId, one.endpoints]))
  const work: SiteWork['work'] = (desk, one) => {
    const { name = '', partyId = '' } = hostings.get(one.hostingId) ?? {}
    return doOne(desk, { id: one.hostingId, name, partyId }, one, endpoints.get(one.hostingId) ?? [])
  }
  const sites = await selectSites(database, [...bySite.keys()])
  return sites.map((site) => ({ site, todo: bySite.get(site.datacenter_id) ?? [], work }))
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
