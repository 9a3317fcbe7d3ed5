/** What an agent needs to be granted, beside what the desk does by it, to stop and start what runs in hostings. */
import type { Clock } from '../../shared/clock.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { createLimit } from '../../shared/limit.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'

/** The chart grants exactly these. */
export const fallbackRights: readonly {
  readonly group: string
  readonly resource: string
  readonly verbs: readonly string[]
}[] = [
  ...['deployments', 'statefulsets', 'replicasets', 'daemonsets'].map((resource) => ({
    group: 'apps',
    resource,
    verbs: ['list', 'patch'],
  })),
  ...['cronjobs', 'jobs'].map((resource) => ({ group: 'batch', resource, verbs: ['list', 'patch'] })),
  { group: '', resource: 'pods', verbs: ['delete'] },
]

/** Its owner grants rights when he will. */
const againMs = 60_000
/** An API server that does not answer may be back at any moment, and until it has the desk is not heard. */
const longestMs = 5_000
/** Each at once would be a connection of its own, which costs more than all the answers. */
const asksAtOnce = 2

interface RightsKit {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Tells whether it has them; undefined while that is not known. Who cannot stop a hosting may not accept one. */
export function watchRights(
  client: Pick<ClusterClient, 'create'>,
  { clock, random, log, signal }: RightsKit,
): () => boolean | undefined {
  let hasAll: boolean | undefined
  const look = async () => {
    let failures = 0
    while (!hasAll && !signal.aborted) {
      let waitMs = againMs
      try {
        const missing = await missingRights(client)
        failures = 0
        hasAll = missing.length === 0
        if (!hasAll) log.warn({ missing }, 'this agent takes no hosting over: the cluster does not let it stop them')
      } catch (error) {
        failures += 1
        waitMs = Math.min(longestMs, backoffMs(failures, random))
        log.warn({ err: error, failures }, 'the cluster does not tell what this agent may')
      }
      if (!hasAll) await clock.sleep(waitMs, signal).catch(() => undefined)
    }
  }
  void look()
  return () => hasAll
}

/** Those that it does not have; rejects when the API server does not say. */
async function missingRights(client: Pick<ClusterClient, 'create'>): Promise<string[]> {
  const asked = fallbackRights.flatMap(({ verbs, ...what }) => verbs.map((verb) => ({ ...what, verb })))
  const limit = createLimit(asksAtOnce)
  const mayI = async (resourceAttributes: object) => {
    const review = await client.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    })
    return (review['status'] as { allowed?: boolean } | undefined)?.allowed === true
  }
  const answers = await Promise.all(asked.map((attributes) => limit(() => mayI(attributes))))
  return asked.filter((_, index) => !answers[index]).map(({ verb, resource }) => `${verb} ${resource}`)
}
