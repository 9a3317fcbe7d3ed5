/** What is written on a workload while it is held back: the agent, the mirror and the desk read the same. */

/** How many replicas are wanted of what runs fewer. */
export const replicasAnnotation = 'gemeentecloud.nl/replicas'
/** Whether the tenant himself has suspended it. */
export const suspendAnnotation = 'gemeentecloud.nl/suspend'
/**
 * How many replicas are wanted of what sleeps until its data has been brought back. `replicasAnnotation` is 0 meanwhile, so
 * that whoever gives each workload what it had, of whatever version, gives this one nothing.
 */
export const waitsAnnotation = 'gemeentecloud.nl/waits-for-data'

/** Undefined for what does not wait, also when somebody has scaled it up meanwhile and so has not waited. */
export function waitingReplicas(
  annotations: Readonly<Record<string, string>> = {},
  replicas: unknown,
): number | undefined {
  const wanted = annotations[waitsAnnotation]
  const isAsleep = replicas === 0 && Number(annotations[replicasAnnotation] ?? 0) === 0
  return isAsleep && wanted !== undefined && /^\d{1,6}$/.test(wanted) ? Number(wanted) : undefined
}
