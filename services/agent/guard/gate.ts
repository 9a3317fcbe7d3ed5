/** The gate before which the pods of a guarded hosting wait: a first container that ends once the guard has opened it. */

/** The charts have the same words; a test compares them. */
export const gateName = 'gemeentecloud-gate'
export const hostingLabel = 'gemeentecloud.nl/hosting'
/** Of a pod: in which epoch it was made, as `generation.counter`. */
export const activeEpochLabel = 'gemeentecloud.nl/active-epoch'

/** In the memory that belongs to one sandbox: another sandbox of the same pod has its gate shut again. */
const opened = '/dev/shm/gemeentecloud-open'

export const waitCommand = ['sh', '-c', `until [ -e ${opened} ]; do sleep 0.2; done`] as const
export const openCommand = ['touch', opened] as const
