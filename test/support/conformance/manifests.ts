/** The objects that the suite makes: small, and within the restricted profile of Pod Security. */

type Meta = Readonly<Record<string, unknown>>
type Quantities = Readonly<Record<string, string>>

export const configMap = (name: string, data: Quantities = {}, metadata: Meta = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

export const container = (requests?: Quantities, name = 'web') => ({
  name,
  image: 'none',
  ...(requests && { resources: { requests } }),
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
})

export const podSpec = (requests?: Quantities) => ({
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [container(requests)],
})

export const small = { cpu: '100m', memory: '64Mi' } as const

export const pod = (name: string, requests: Quantities | undefined = small, metadata: Meta = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: podSpec(requests),
})

export const deployment = (name: string, replicas: number, requests: Quantities = small) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(requests) },
  },
})

export const quota = (hard: Quantities, name = 'quota') => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name },
  spec: { hard },
})

export const claim = (name: string, storage: string, storageClassName: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } },
})
