/** What a ResourceQuota counts, what is used of it, and what would go over. */
import { amountOf, formatAmount } from '../../shared/quantity.ts'
import type { PersistentVolumeClaim, Pod, Quantities, ResourceQuota, Service, Stored } from './objects.ts'
import { forbidden } from './status.ts'
import type { Store } from './store.ts'

/** The kinds whose objects a quota counts here, with their plurals. */
export const countedKinds = {
  Pod: 'pods',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Service: 'services',
  ConfigMap: 'configmaps',
  Secret: 'secrets',
} as const

type CountedKind = keyof typeof countedKinds

export const isCounted = (kind: string): kind is CountedKind => kind in countedKinds

/** Refuses what goes over a quota of its namespace, or does not say what the quota counts. */
export function checkQuota(store: Store, object: Stored, namespace: string): void {
  if (!isCounted(object.kind)) return
  const plural = countedKinds[object.kind]
  const asked = usageOf(object)
  for (const { metadata, spec } of store.list('ResourceQuota', namespace)) {
    const hard = spec?.hard ?? {}
    const { name } = object.metadata
    const unsaid = Object.keys(hard).filter((resource) => isDemanded(resource, object) && !(resource in asked))
    if (unsaid.length > 0) {
      const containers = ((object as Pod).spec?.containers ?? []).map((container) => container.name).join(',')
      const words = unsaid.map((resource) => `${resource} for: ${containers}`).join('; ')
      throw forbidden(plural, name, `failed quota: ${metadata.name}: must specify ${words}`)
    }
    const used = usedIn(store, namespace)
    const over = Object.keys(hard).filter(
      (resource) =>
        (asked[resource] ?? 0) > 0 && (used[resource] ?? 0) + (asked[resource] ?? 0) > hardOf(hard, resource),
    )
    if (over.length === 0) continue
    const show = (amounts: Record<string, number>) =>
      over.map((resource) => `${resource}=${format(resource, amounts[resource] ?? 0)}`).join(',')
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
  const entries = Object.keys(hard).map((resource) => [resource, format(resource, used[resource] ?? 0)])
  return { hard, used: Object.fromEntries(entries) }
}

const isDemanded = (resource: string, { kind }: Stored) =>
  kind === 'Pod' &&
  /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/.test(resource) &&
  !/^requests\.e/.test(resource)

function usedIn(store: Store, namespace: string): Record<string, number> {
  const total: Record<string, number> = {}
  for (const kind of Object.keys(countedKinds)) {
    for (const object of store.list(kind, namespace)) {
      if (isOver(object)) continue
      for (const [resource, used] of Object.entries(usageOf(object))) total[resource] = (total[resource] ?? 0) + used
    }
  }
  return total
}

/** A pod that has ended uses nothing any more. */
const isOver = (object: Stored) => ['Succeeded', 'Failed'].includes((object as Pod).status?.phase ?? '')

function usageOf(object: Stored): Record<string, number> {
  switch (object.kind) {
    case 'Pod':
      return podUsage(object as Pod)
    case 'PersistentVolumeClaim':
      return claimUsage(object as PersistentVolumeClaim)
    case 'Service':
      return serviceUsage(object as Service)
    default: {
      const plural = countedKinds[object.kind as CountedKind]
      return { [plural]: 1, [`count/${plural}`]: 1 }
    }
  }
}

function podUsage({ spec }: Pod): Record<string, number> {
  const used: Record<string, number> = { pods: 1, 'count/pods': 1 }
  const add = (resource: string, amount: number) => {
    used[resource] = (used[resource] ?? 0) + amount
  }
  for (const { resources = {} } of spec?.containers ?? []) {
    for (const side of ['requests', 'limits'] as const) {
      for (const [resource, quantity] of Object.entries(resources[side] ?? {})) {
        const amount = amountOf(resource, String(quantity), 'up')
        add(`${side}.${resource}`, amount)
        // A quota on plain `cpu` counts requests.
        if (side === 'requests') add(resource, amount)
      }
    }
  }
  return used
}

function claimUsage({ spec }: PersistentVolumeClaim): Record<string, number> {
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

function serviceUsage({ spec }: Service): Record<string, number> {
  const isBalanced = spec?.type === 'LoadBalancer'
  const ports = isBalanced || spec?.type === 'NodePort' ? (spec.ports ?? []).length : 0
  const nodePorts = { 'services.nodeports': ports, 'services.loadbalancers': isBalanced ? 1 : 0 }
  return { services: 1, 'count/services': 1, ...nodePorts }
}

/** The resource whose notation an entry of a quota has. */
const measured = (entry: string) => (/storage$/.test(entry) ? 'memory' : entry.replace(/^(requests|limits)\./, ''))
const hardOf = (hard: Quantities, entry: string) => amountOf(measured(entry), String(hard[entry]), 'down')
const format = (entry: string, amount: number) => formatAmount(measured(entry), amount)
