/** A chart as programmes have them: hooks before and after, objects of Kubernetes, and one of a kind that the datacenter has. */

const group = 'proef.example.org'

export const fleetChart = {
  /** The kind, which the datacenter has by its own doing. */
  definition: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `zaaktypes.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Zaaktype', plural: 'zaaktypes', singular: 'zaaktype' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { kleur: { type: 'string' } } } },
            },
          },
        },
      ],
    },
  },
  /** With which the datacenter lets its tenants have objects of it. */
  rule: {
    apiGroups: [group],
    resources: ['zaaktypes'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  },
  files: {
    'Chart.yaml': 'apiVersion: v2\nname: zaken\nversion: 1.0.0\n',
    'values.yaml': 'kleur: rood\n',
    'crds/zaaktype.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: zaaktypes.${group}}
`,
    'templates/zaaktype.yaml': `apiVersion: ${group}/v1
kind: Zaaktype
metadata: {name: "{{ .Release.Name }}"}
spec: {kleur: "{{ .Values.kleur }}"}
`,
    'templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}"}
spec:
  replicas: 2
  selector: {matchLabels: {app: zaken}}
  template:
    metadata: {labels: {app: zaken}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: zaken
          image: registry.invalid/zaken
          resources: {requests: {cpu: 50m, memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`,
    'templates/before.yaml': hook('Job', 'voor', 'pre-install,pre-upgrade'),
    'templates/after.yaml': hook('ConfigMap', 'na', 'post-install'),
  },
} as const

function hook(kind: 'Job' | 'ConfigMap', name: string, when: string): string {
  const head = `apiVersion: ${kind === 'Job' ? 'batch/v1' : 'v1'}
kind: ${kind}
metadata:
  name: "{{ .Release.Name }}-${name}"
  annotations:
    helm.sh/hook: ${when}
    helm.sh/hook-delete-policy: before-hook-creation
`
  if (kind === 'ConfigMap') return `${head}data: {eerst: ja}\n`
  return `${head}spec:
  template:
    spec:
      restartPolicy: Never
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: voor
          image: registry.invalid/voor
          resources: {requests: {cpu: 50m, memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`
}
