/** What a ResourceQuota counts, what is used of it, and what would go over. */
import { type Amounts, amountIn, sumOf } from '../../shared/amounts.ts'
import { amountOf, formatAmount } from '../../shared/quantity.ts'
import { kindNamed, namespacedKinds } from './kinds.ts'
import type { PersistentVolumeClaim, Pod, Quantities, ResourceQuota, Service, Stored } from './objects.ts'
import { forbidden } from './status.ts'
import type { Store } from './store.ts'

/** A quota may count every kind but events, each as `count/<plural>.<group>`. */
const countedKinds = namespacedKinds.filter((kind) => kind !== 'Event')
const counted = new Set(countedKinds)
export const isCounted = (kind: string): boolean => counted.has(kind)

/** `pods`, `deployments.apps`. */
function nameOf(kind: string): string {
  const { plural, group } = kindNamed(kind)
  return group === '' ? plural : `${plural}.${group}`
}

/** Counted by their plain names too, from before there was `count/`. */
const plainlyCounted = new Set(['ConfigMap', 'Secret'])

/** Refuses what goes over a quota of its namespace, or does not say what the quota counts. */
export function checkQuota(store: Store, object: Stored, namespace: string): void {
  if (!isCounted(object.kind)) return
  const plural = nameOf(object.kind)
  const asked = usageOf(object)
  for (const { metadata, spec } of store.list('ResourceQuota', namespace)) {
    const hard = spec?.hard ?? {}
    const { name } = object.metadata
    const unsaid = Object.keys(hard).filter(
      (resource) => isDemanded(resource, object) && !Object.hasOwn(asked, resource),
    )
    if (unsaid.length > 0) {
      const containers = ((object as Pod).spec?.containers ?? []).map((container) => container.name).join(',')
      const words = unsaid.map((resource) => `${resource} for: ${containers}`).join('; ')
      throw forbidden(plural, name, `failed quota: ${metadata.name}: must specify ${words}`)
    }
    const used = usedIn(store, namespace)
    const over = Object.keys(hard).filter(
      (resource) =>
        amountIn(asked, resource) > 0 && amountIn(used, resource) + amountIn(asked, resource) > hardOf(hard, resource),
    )
    if (over.length === 0) continue
    const show = (amounts: Amounts) =>
      over.map((resource) => `${resource}=${format(resource, amountIn(amounts, resource))}`).join(',')
    const limited = over.map((resource) => `${resource}=${hard[resource]}`).join(',')
    const words = `requested: ${show(asked)}, used: ${show(used)}, limited: ${limited}`
    throw forbidden(plural, name, `exceeded quota: ${metadata.name}, ${words}`)
  }
}

/** Brings what the quotas of a namespace say of its use up to date. */
export function refreshQuotas(store: Store, namespace: string): void {
  for (const quota of store.list('ResourceQuota', namespace)) {
    store.update({ ...quota, status: statusOf(store, quota) }, 'status')
  }
}

function statusOf(store: Store, { metadata, spec }: ResourceQuota): NonNullable<ResourceQuota['status']> {
  const used = usedIn(store, metadata.namespace ?? '')
  const hard = spec?.hard ?? {}
  const entries = Object.keys(hard).map((resource) => [resource, format(resource, amountIn(used, resource))])
  return { hard, used: Object.fromEntries(entries) }
}

const isDemanded = (resource: string, { kind }: Stored) =>
  kind === 'Pod' &&
  /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.test(resource) &&
  !/^requests\.e/.test(resource)

function usedIn(store: Store, namespace: string): Amounts {
  const objects = countedKinds.flatMap((kind) => store.list(kind, namespace))
  return sumOf(objects.filter((object) => !isOver(object)).map(usageOf))
}

/** A pod that has ended uses nothing any more. */
const isOver = (object: Stored) => ['Succeeded', 'Failed'].includes((object as Pod).status?.phase ?? '')

function usageOf(object: Stored): Amounts {
  switch (object.kind) {
    case 'Pod':
      return podUsage(object as Pod)
    case 'PersistentVolumeClaim':
      return claimUsage(object as PersistentVolumeClaim)
    case 'Service':
      return serviceUsage(object as Service)
    default: {
      const name = nameOf(object.kind)
      return { [`count/${name}`]: 1, ...(plainlyCounted.has(object.kind) && { [name]: 1 }) }
    }
  }
}

function podUsage({ spec }: Pod): Amounts {
  const each = (spec?.containers ?? []).flatMap(({ resources: { requests, limits } = {} }) => [
    amountsOf('requests.', requests),
    // A quota on plain `cpu` counts requests.
    amountsOf('', requests),
    amountsOf('limits.', limits),
  ])
  return sumOf([{ pods: 1, 'count/pods': 1 }, ...each])
}

const amountsOf = (prefix: string, quantities: Quantities = {}): Amounts =>
  Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => [prefix + name, amountOf(name, String(text), 'up')]),
  )

function claimUsage({ spec }: PersistentVolumeClaim): Amounts {
  const bytes = amountOf('storage', String(spec?.resources?.requests?.['storage'] ?? 0), 'up')
  const prefix = `${spec?.storageClassName}.storageclass.storage.k8s.io/`
  return {
    persistentvolumeclaims: 1,
    'count/persistentvolumeclaims': 1,
    'requests.storage': bytes,
    ...(spec?.storageClassName && {
      [`${prefix}requests.storage`]: bytes,
      [`${prefix}persistentvolumeclaims`]: 1,
    }),
  }
}

function serviceUsage({ spec }: Service): Amounts {
  const isBalanced = spec?.type === 'LoadBalancer'
  const ports = isBalanced || spec?.type === 'NodePort' ? (spec.ports ?? []).length : 0
  const nodePorts = { 'services.nodeports': ports, 'services.loadbalancers': isBalanced ? 1 : 0 }
  return { services: 1, 'count/services': 1, ...nodePorts }
}

/** The resource whose notation an entry of a quota has. */
const measured = (entry: string) => (/storage$/.test(entry) ? 'memory' : entry.replace(/^(requests|limits)\./, ''))
const hardOf = (hard: Quantities, entry: string) => amountOf(measured(entry), String(hard[entry]), 'down')
const format = (entry: string, amount: number) => formatAmount(measured(entry), amount)
