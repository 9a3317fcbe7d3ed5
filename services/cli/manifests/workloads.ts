/** Which objects make pods, how many at a time, and which are left out; everything that is not plain is noted. */
import type { Findings } from './findings.ts'
import { at, isTree, type Tree, textAt, treeAt, treesAt } from './tree.ts'

/** Pods of one template that run at the same time. */
export interface PodSet {
  /** `StatefulSet/db`, as messages name it. */
  readonly who: string
  readonly kind: string
  readonly name: string
  readonly replicas: number
  readonly spec: Tree
  readonly labels: Tree
  /** Claims that each replica gets of its own. */
  readonly claimTemplates: readonly Tree[]
}

/** Objects of Kubernetes itself that take no room of their own. */
const groupsOfKubernetes =
  /^(v1|(apps|batch|policy|autoscaling|extensions)\/.*|([a-z0-9-]+\.)+k8s\.io\/.*|gateway\.networking\.k8s\.io\/.*)$/

/** Stand outside any namespace, and a hosting is a namespace. */
const clusterWide = new Set([
  'APIService',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
])

/** `List` objects opened, everything else as it is; what is no object is an error. */
export function objectsOf(documents: readonly unknown[], findings: Findings): Tree[] {
  return documents.flatMap((document, index) => {
    if (!isTree(document) || typeof document['kind'] !== 'string') {
      findings.errors.push(`document ${index + 1} is no Kubernetes object: it has no kind`)
      return []
    }
    const isList = document['kind'].endsWith('List') && Array.isArray(document['items'])
    return isList ? objectsOf(document['items'] as unknown[], findings) : [document]
  })
}

export const whoIs = (object: Tree): string =>
  `${textAt(object, 'kind')}/${textAt(object, 'metadata', 'name') ?? '(unnamed)'}`

/** The most replicas that an autoscaler of these manifests may set, by `Kind/name` of what it scales. */
export function scaledTo(objects: readonly Tree[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const object of objects) {
    if (object['kind'] !== 'HorizontalPodAutoscaler') continue
    const target = treeAt(object, 'spec', 'scaleTargetRef')
    const most = at(object, 'spec', 'maxReplicas')
    if (typeof most === 'number') found.set(`${textAt(target, 'kind')}/${textAt(target, 'name')}`, most)
  }
  return found
}

/** The pods of one object, `undefined` when it makes none or is left out. `jobs` says whether work that ends counts. */
export function podSetOf(
  object: Tree,
  jobs: 'count' | 'leave-out',
  scaled: ReadonlyMap<string, number>,
  findings: Findings,
): PodSet | undefined {
  const who = whoIs(object)
  const kind = textAt(object, 'kind') ?? ''
  const version = textAt(object, 'apiVersion') ?? ''
  if (!groupsOfKubernetes.test(version)) {
    if (!clusterWide.has(kind)) {
      findings.notes.push(
        `${who} (${version}) is not counted: what its operator makes of it does not stand in these manifests`,
      )
    }
    return undefined
  }
  if (clusterWide.has(kind)) {
    findings.notes.push(
      `${who} stands outside a namespace; a hosting is one namespace, so it will have to be there already`,
    )
    return undefined
  }
  if (isTestHook(object)) {
    findings.notes.push(`${who} is a test hook: left out`)
    return undefined
  }
  const found = podsIn(object, who, kind, jobs, scaled, findings)
  if (found?.replicas === 0) {
    findings.notes.push(`${who} has 0 replicas: left out`)
    return undefined
  }
  return found
}

function podsIn(
  object: Tree,
  who: string,
  kind: string,
  jobs: 'count' | 'leave-out',
  scaled: ReadonlyMap<string, number>,
  findings: Findings,
): PodSet | undefined {
  const name = textAt(object, 'metadata', 'name') ?? kind.toLowerCase()
  const made = (replicas: number, template: Tree, claimTemplates: readonly Tree[] = []): PodSet => ({
    who,
    kind,
    name,
    replicas,
    spec: treeAt(template, 'spec'),
    labels: treeAt(template, 'metadata', 'labels'),
    claimTemplates,
  })
  const template = treeAt(object, 'spec', 'template')
  switch (kind) {
    case 'Pod':
      return made(1, object)
    case 'Deployment':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'StatefulSet': {
      const asked = count(object, ['spec', 'replicas'], 1, who, findings)
      const most = scaled.get(who) ?? 0
      const grows = asked > 0 && most > asked
      if (grows) findings.notes.push(`${who} may be scaled to ${most} replicas: counted with ${most}`)
      return made(grows ? most : asked, template, treesAt(object, 'spec', 'volumeClaimTemplates'))
    }
    case 'DaemonSet':
      findings.errors.push(
        `${who}: a DaemonSet runs on every node of a cluster, also on those of others; a hosting cannot have it`,
      )
      return undefined
    case 'Job':
    case 'CronJob': {
      if (jobs === 'leave-out') {
        findings.notes.push(`${who} runs only now and then: left out, so it may find no room`)
        return undefined
      }
      const path = kind === 'Job' ? ['spec'] : ['spec', 'jobTemplate', 'spec']
      const parallel = count(object, [...path, 'parallelism'], 1, who, findings)
      const atOnce = Math.min(parallel, count(object, [...path, 'completions'], parallel, who, findings))
      findings.notes.push(
        `${who} runs only now and then: counted as if always, with ${atOnce} (--jobs leave-out leaves it out)`,
      )
      return made(atOnce, treeAt(object, ...path, 'template'))
    }
    default:
      return undefined
  }
}

function count(object: Tree, path: readonly string[], absent: number, who: string, findings: Findings): number {
  const value = at(object, ...path) ?? absent
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  findings.errors.push(`${who}: ${path.at(-1)} is no whole number`)
  return absent
}

/** Helm runs these only with `helm test`: https://helm.sh/docs/topics/chart_tests/ */
function isTestHook(object: Tree): boolean {
  const hooks = textAt(object, 'metadata', 'annotations', 'helm.sh/hook')
  return hooks?.split(',').every((hook) => /^test(-success|-failure)?$/.test(hook.trim())) ?? false
}
