/** What a tenant has in a namespace, one of nearly everything; nothing here asks for more than a small hosting has. */

const pod = (name: string) => ({
  metadata: { labels: { app: name } },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        image: 'registry.invalid/main:1',
        resources: { requests: { cpu: '50m', memory: '64Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})

const object = (apiVersion: string, kind: string, name: string, namespace: string, body: object) => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...body,
})

export const deployment = (namespace: string, name: string, replicas: number) =>
  object('apps/v1', 'Deployment', name, namespace, {
    spec: { replicas, selector: { matchLabels: { app: name } }, template: pod(name) },
  })

export const configMap = (namespace: string, name: string, text: string) =>
  object('v1', 'ConfigMap', name, namespace, { data: { text } })

export const secret = (namespace: string, name: string, text: string) =>
  object('v1', 'Secret', name, namespace, { stringData: { text } })

export function oneOfEach(namespace: string): object[] {
  const of = (apiVersion: string, kind: string, name: string, body: object) =>
    object(apiVersion, kind, name, namespace, body)
  return [
    of('v1', 'ServiceAccount', 'web', {}),
    configMap(namespace, 'settings', 'een'),
    secret(namespace, 'password', 'geheim'),
    of('v1', 'PersistentVolumeClaim', 'data', {
      spec: { storageClassName: 'snel', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    }),
    of('v1', 'Service', 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } }),
    of('v1', 'Service', 'peers', { spec: { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 5432 }] } }),
    deployment(namespace, 'web', 2),
    of('apps/v1', 'StatefulSet', 'db', {
      spec: { serviceName: 'peers', replicas: 1, selector: { matchLabels: { app: 'db' } }, template: pod('db') },
    }),
    of('batch/v1', 'CronJob', 'nightly', {
      spec: {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: { spec: { ...pod('nightly').spec, restartPolicy: 'Never' } } } },
      },
    }),
    of('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 2,
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    }),
    of('policy/v1', 'PodDisruptionBudget', 'web', {
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
    of('networking.k8s.io/v1', 'Ingress', 'web', {
      spec: {
        rules: [
          {
            host: 'zaken.example',
            http: {
              paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
            },
          },
        ],
      },
    }),
  ]
}

/** Where each of these is read, by a word. */
export const pathOf = (namespace: string) => {
  const core = `/api/v1/namespaces/${namespace}`
  const group = (name: string) => `/apis/${name}/namespaces/${namespace}`
  return {
    serviceAccount: `${core}/serviceaccounts`,
    configMap: `${core}/configmaps`,
    secret: `${core}/secrets`,
    claim: `${core}/persistentvolumeclaims`,
    service: `${core}/services`,
    deployment: `${group('apps/v1')}/deployments`,
    statefulSet: `${group('apps/v1')}/statefulsets`,
    cronJob: `${group('batch/v1')}/cronjobs`,
    autoscaler: `${group('autoscaling/v2')}/horizontalpodautoscalers`,
    budget: `${group('policy/v1')}/poddisruptionbudgets`,
    ingress: `${group('networking.k8s.io/v1')}/ingresses`,
  }
}
