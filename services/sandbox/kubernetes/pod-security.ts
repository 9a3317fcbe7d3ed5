/** The `restricted` and `baseline` levels of Pod Security, as far as the pods here can offend them. */
import type { Pod, SecurityContext } from './objects.ts'
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

const restrictedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

function baseline(pod: Pod): string[] {
  const { hostNetwork, hostPID, hostIPC, volumes = [] } = pod.spec ?? {}
  const privileged = containersOf(pod).filter(({ securityContext }) => securityContext?.privileged === true)
  const hostPaths = volumes.filter((volume) => 'hostPath' in volume)
  const hosts = Object.entries({ hostNetwork, hostPID, hostIPC }).filter(([, is]) => is === true)
  return [
    ...(hosts.length > 0 ? [`host namespaces (${hosts.map(([name]) => `${name}=true`).join(', ')})`] : []),
    ...(privileged.length > 0
      ? [`privileged (${named(privileged.map((c) => c.name))} must not set securityContext.privileged=true)`]
      : []),
    ...(hostPaths.length > 0 ? [`hostPath volumes (${volumesNamed(hostPaths)})`] : []),
  ]
}

const volumesNamed = (volumes: readonly Readonly<Record<string, unknown>>[]) =>
  volumes.map(({ name }) => `volume "${name}"`).join(', ')

function restricted(pod: Pod): string[] {
  const whole = pod.spec?.securityContext ?? {}
  const offence = (isSound: (own: SecurityContext) => boolean, words: string): string[] => {
    const names = containersOf(pod).flatMap(({ name, securityContext = {} }) =>
      isSound(securityContext) ? [] : [name],
    )
    return names.length === 0 ? [] : [words.replace('%', named(names))]
  }
  const volumes = (pod.spec?.volumes ?? []).filter((volume) =>
    Object.keys(volume).some((key) => key !== 'name' && !restrictedVolumes.has(key)),
  )
  const onlyAdds = (own: SecurityContext) => (own.capabilities?.add ?? []).every((each) => each === 'NET_BIND_SERVICE')
  return [
    ...offence(
      (own) => own.allowPrivilegeEscalation === false,
      'allowPrivilegeEscalation != false (% must set securityContext.allowPrivilegeEscalation=false)',
    ),
    ...offence(
      (own) => (own.capabilities?.drop?.includes('ALL') ?? false) && onlyAdds(own),
      'unrestricted capabilities (% must set securityContext.capabilities.drop=["ALL"])',
    ),
    ...(volumes.length > 0 ? [`restricted volume types (${volumesNamed(volumes)} uses restricted volume type)`] : []),
    ...offence(
      (own) => (own.runAsNonRoot ?? whole.runAsNonRoot) === true,
      'runAsNonRoot != true (pod or % must set securityContext.runAsNonRoot=true)',
    ),
    ...(whole.runAsUser === 0 ? ['runAsUser=0 (pod must not set runAsUser=0)'] : []),
    ...offence((own) => own.runAsUser !== 0, 'runAsUser=0 (% must not set runAsUser=0)'),
    ...offence(
      (own) => ['RuntimeDefault', 'Localhost'].includes((own.seccompProfile ?? whole.seccompProfile)?.type ?? ''),
      'seccompProfile (pod or % must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ),
  ]
}
