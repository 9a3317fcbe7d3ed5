/** Manifests as YAML text, counted; what `hosting request --from-manifests` does before it asks. */
import { parseDocuments } from '../../../../services/cli/files.ts'
import { demandFrom, type ManifestOptions } from '../../../../services/cli/manifests/index.ts'

const plain: ManifestOptions = {
  defaultRequests: {},
  defaultStorageClass: undefined,
  storageClasses: {},
  jobs: 'count',
}

/** Throws with all errors when the manifests are refused. */
export async function count(yaml: string, options: Partial<ManifestOptions> = {}) {
  const result = demandFrom(await parseDocuments(yaml, '-'), { ...plain, ...options })
  if (!result.ok) throw new Error(result.errors.join('\n'))
  return result
}

/** The errors; empty when all could be counted. */
export async function errorsOf(yaml: string, options: Partial<ManifestOptions> = {}): Promise<readonly string[]> {
  const result = demandFrom(await parseDocuments(yaml, '-'), { ...plain, ...options })
  return result.ok ? [] : result.errors
}

/** A workload of one container that asks for a tenth of a core and 64 MiB. `spec` and `pod` are YAML in flow style. */
export function workload(kind: string, name: string, { spec = '', pod = '', apiVersion = 'apps/v1' } = {}): string {
  return `---
apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: ${name}}
spec:
  ${spec}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      ${pod}
      containers: [{name: app, resources: {requests: {cpu: 100m, memory: 64Mi}}}]
`
}
