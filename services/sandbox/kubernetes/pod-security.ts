/** The `restricted` and `baseline` levels of Pod Security, as far as the pods here can offend them. */
import type { Pod } from './objects.ts'
import { forbidden } from './status.ts'
import type { Store } from './store.ts'

const label = 'pod-security.kubernetes.io/enforce'

/** Throws `Forbidden` with each offence, in the words of the admission that real clusters have. */
export function checkPodSecurity(store: Store, pod: Pod, namespace: string): void {
  const labels = store.get('Namespace', undefined, namespace)?.metadata.labels ?? {}
  const level = labels[label]
  if (level !== 'restricted' && level !== 'baseline') return
  const offences = [...baseline(pod), ...(level === 'restricted' ? restricted(pod) : [])]
  if (offences.length === 0) return
  const words = `violates PodSecurity "${level}:${labels[`${label}-version`] ?? 'latest'}": ${offences.join(', ')}`
  throw forbidden('pods', pod.metadata.name, words)
}

const containersOf = ({ spec }: Pod) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
const named = (names: readonly string[]) =>
  `container${names.length === 1 ? '' : 's'} ${names.map((name) => `"${name}"`).join(', ')}`

function baseline(pod: Pod): string[] {
  const { hostNetwork, hostPID, hostIPC, volumes = [] } = pod.spec ?? {}
  const privileged = containersOf(pod).filter(({ securityContext }) => securityContext?.privileged === true)
  const hostPaths = volumes.filter(({ hostPath }) => hostPath !== undefined)
  const hosts = Object.entries({ hostNetwork, hostPID, hostIPC }).filter(([, is]) => is === true)
  return [
    ...(hosts.length > 0 ? [`host namespaces (${hosts.map(([name]) => `${name}=true`).join(', ')})`] : []),
    ...(privileged.length > 0
      ? [`privileged (${named(privileged.map((c) => c.name))} must not set securityContext.privileged=true)`]
      : []),
    ...(hostPaths.length > 0 ? [`hostPath volumes (${hostPaths.map((v) => `volume "${v.name}"`).join(', ')})`] : []),
  ]
}

function restricted(pod: Pod): string[] {
  const whole = pod.spec?.securityContext ?? {}
  const offenders = (isSound: (own: NonNullable<Pod['spec']>['securityContext'] & object) => boolean) =>
    containersOf(pod)
      .filter(({ securityContext = {} }) => !isSound(securityContext))
      .map((container) => container.name)
  const found = [
    {
      names: offenders((own) => own.allowPrivilegeEscalation === false),
      words: 'allowPrivilegeEscalation != false (% must set securityContext.allowPrivilegeEscalation=false)',
    },
    {
      names: offenders((own) => own.capabilities?.drop?.includes('ALL') ?? false),
      words: 'unrestricted capabilities (% must set securityContext.capabilities.drop=["ALL"])',
    },
    {
      names: offenders((own) => (own.runAsNonRoot ?? whole.runAsNonRoot) === true),
      words: 'runAsNonRoot != true (pod or % must set securityContext.runAsNonRoot=true)',
    },
    {
      names: offenders((own) =>
        ['RuntimeDefault', 'Localhost'].includes((own.seccompProfile ?? whole.seccompProfile)?.type ?? ''),
      ),
      words:
        'seccompProfile (pod or % must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    },
  ]
  return found.filter(({ names }) => names.length > 0).map(({ names, words }) => words.replace('%', named(names)))
}
