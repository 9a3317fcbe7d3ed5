/** What is written on a workload while it is held back: the agent, the mirror and the desk read the same. */

/** How many replicas are wanted of what runs fewer. */
export const replicasAnnotation = 'gemeentecloud.nl/replicas'
/** Whether the tenant himself has suspended it. */
export const suspendAnnotation = 'gemeentecloud.nl/suspend'
