/** Which kinds are mirrored for a hosting: its tenant may list them at the one site and write them at the other. */
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import { builtIn, groupOf, isCustomGroup, type Kind, rankOf } from './core/kinds.ts'
import type { Datacenter } from './datacenter.ts'

export interface FoundKinds {
  /** In the order of writing. */
  readonly mirrored: readonly Kind[]
  /** The tenant may have them at the active site, and the other does not know them, or does not let him have them. */
  readonly unknownThere: readonly Kind[]
}

interface Rule {
  readonly verbs?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
}

const toFollow = ['get', 'list', 'watch']
const toWrite = ['get', 'list', 'create', 'patch', 'delete']

/** `here` and `there`: the sites in the tenant's name. Rejects when one does not answer. */
export async function findKinds(
  active: Datacenter,
  standby: Datacenter,
  here: ClusterClient,
  there: ClusterClient,
  namespace: string,
): Promise<FoundKinds> {
  const rules = await rulesOf(here, namespace, toFollow)
  const rulesThere = await rulesOf(there, namespace, toWrite)
  const groups = new Set(rules.flatMap(({ apiGroups = [] }) => apiGroups).filter(isCustomGroup))
  const custom = await Promise.all([...groups].map((group) => active.preferredVersion(group)))
  const versions = [...new Set(builtIn.map(({ apiVersion }) => apiVersion)), ...custom]
  const mirrored: Kind[] = []
  const unknownThere: Kind[] = []
  for (const apiVersion of versions) {
    if (apiVersion === undefined) continue
    const known = await standby.resources(apiVersion)
    for (const { name, kind } of await active.resources(apiVersion)) {
      const group = groupOf(apiVersion)
      if (!isCustomGroup(group) && rankOf({ apiVersion, kind }) === builtIn.length) continue
      if (!rules.some((rule) => allows(rule, group, name))) continue
      const isKnown = known.some((one) => one.kind === kind) && rulesThere.some((rule) => allows(rule, group, name))
      const found = isKnown ? mirrored : unknownThere
      found.push({ apiVersion, kind })
    }
  }
  return { mirrored: mirrored.sort((a, b) => rankOf(a) - rankOf(b)), unknownThere }
}

async function rulesOf(tenant: ClusterClient, namespace: string, verbsNeeded: readonly string[]): Promise<Rule[]> {
  const review = await tenant.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace },
  })
  const { resourceRules = [] } = (review['status'] ?? {}) as { resourceRules?: readonly Rule[] }
  return resourceRules.filter(
    ({ verbs = [] }) => verbs.includes('*') || verbsNeeded.every((verb) => verbs.includes(verb)),
  )
}

function allows({ apiGroups = [], resources = [] }: Rule, group: string, name: string): boolean {
  return [group, '*'].some((one) => apiGroups.includes(one)) && [name, '*'].some((one) => resources.includes(one))
}
