/** What a drill does and sees in one cluster: a shadow made, started and removed, and whether what runs is ready. */
import type { Amounts } from '../../../shared/amounts.ts'
import type { ClusterClient, KindRef } from '../../../shared/kubernetes/index.ts'
import {
  asTenant,
  clusterOf,
  ensurePlacement,
  listServed,
  lookAtWorkloads,
  type Reached,
  type Readiness,
  reasonOf,
  refusalOf,
  type WantedPlacement,
  withdrawPlacement,
} from '../../clusters/index.ts'
import { essenceOf, groupOf, isCustomGroup } from '../../mirror/index.ts'
import { leftOutKinds, runsPods, shadowKinds, shadowOf } from '../core/shadow.ts'

export interface Shadow {
  readonly drillId: string
  /** Of the hosting, and of its shadow. */
  readonly hosting: string
  readonly namespace: string
  readonly partyId: string
  readonly systemSlug: string
  readonly amounts: Amounts
  readonly volumes: number
}

export interface Started {
  /** Workloads that run pods. */
  readonly started: number
  readonly refused: readonly string[]
  readonly leftOut: readonly string[]
}

/** Each of these may be repeated. They reject when the cluster does not answer. */
export interface DrillSites {
  /** Undefined when the namespace stands with all that bounds it; else why it does not. */
  isolate(at: Reached, shadow: Shadow): Promise<string | undefined>
  /** Applies what stands asleep at the standby, awake, in the shadow. */
  start(at: Reached, shadow: Shadow): Promise<Started>
  /** Of a namespace, in the name of the party. */
  look(at: Reached, namespace: string, partyId: string): Promise<Readiness>
  /** Undefined when the API server says that nothing of it is left; else what there still is. */
  remove(at: Reached, shadow: Shadow): Promise<string | undefined>
}

const fieldManager = 'gemeentecloud-drill'

export function createDrillSites(reach: (at: Reached) => Promise<ClusterClient>): DrillSites {
  const at = async <T>(site: Reached, work: (client: ClusterClient) => Promise<T>): Promise<T> => {
    const client = await reach(site)
    try {
      return await work(client)
    } finally {
      await client.close()
    }
  }
  return {
    isolate: (site, shadow) =>
      at(site, async (client) => {
        const { observed, reason } = await ensurePlacement(clusterOf(client), nothingKnown, placementOf(shadow))
        return observed === 'ready' ? undefined : (reason ?? observed)
      }),
    start: (site, shadow) => at(site, (client) => startShadow(asTenant(client, shadow.partyId), shadow)),
    look: (site, namespace, partyId) => at(site, (client) => lookAtWorkloads(asTenant(client, partyId), namespace)),
    remove: (site, shadow) =>
      at(site, async (client) => {
        const withdrawn = await withdrawPlacement(clusterOf(client), placementOf(shadow))
        return withdrawn.absent ? undefined : withdrawn.reason
      }),
  }
}

/** No watch follows a shadow, so each look at what bounds it is a new one. */
const nothingKnown = { get: () => undefined }

/** A placement of its own, so that nothing takes it for the hosting: neither the guards, nor the site's part in failover. */
function placementOf({ drillId, namespace: name, partyId, systemSlug, amounts, volumes }: Shadow): WantedPlacement {
  const ids = { id: drillId, hostingId: drillId, name, partyId, systemSlug }
  return { ...ids, role: 'standby', epoch: 0, activity: 'shared', amounts, running: amounts, volumes }
}

async function startShadow(tenant: ClusterClient, { hosting, namespace }: Shadow): Promise<Started> {
  const refused: string[] = []
  let started = 0
  for (const kind of shadowKinds) {
    for (const essence of await essencesOf(tenant, kind, hosting)) {
      try {
        await tenant.apply(shadowOf(essence, namespace) as unknown as Parameters<typeof tenant.apply>[0], {
          fieldManager,
          force: true,
        })
        if (runsPods(kind)) started++
      } catch (error) {
        if (refusalOf(error) === undefined) throw error
        refused.push(`${kind.kind} ${essence.metadata.name}: ${reasonOf(error)}`)
      }
    }
  }
  return { started, refused, leftOut: await leftOutOf(tenant, hosting) }
}

async function leftOutOf(tenant: ClusterClient, hosting: string): Promise<string[]> {
  const names: string[] = []
  for (const kind of leftOutKinds)
    for (const { metadata } of await essencesOf(tenant, kind, hosting)) names.push(`${kind.kind} ${metadata.name}`)
  return names
}

/** What the tenant has of a kind, as it is wanted: not what a controller makes, nor what a cluster puts everywhere. */
async function essencesOf(tenant: ClusterClient, kind: KindRef, namespace: string) {
  const found: NonNullable<ReturnType<typeof essenceOf>>[] = []
  await listServed(tenant, kind, namespace, (object) => {
    const essence = essenceOf(object as unknown as Parameters<typeof essenceOf>[0], {
      isMadeThere: ({ apiVersion }) => !isCustomGroup(groupOf(apiVersion)),
      isLeftOut: () => false,
    })
    if (essence) found.push(essence)
  })
  return found
}
