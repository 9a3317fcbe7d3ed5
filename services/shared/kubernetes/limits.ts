/** How much of one cluster we take: what is more is an error, however the cluster came to it. */

export interface Limits {
  /** Milliseconds for TCP and TLS. */
  readonly connectMs: number
  /** Milliseconds for a whole call, waiting for a free connection included. */
  readonly requestMs: number
  /** Milliseconds that a watch may be silent; bookmarks come every minute. */
  readonly idleMs: number
  /** Bytes of one answer, and of one line of a watch. */
  readonly answerBytes: number
  /** Calls at the same time; watches do not count. */
  readonly connections: number
  /** Objects, bytes and milliseconds of one list of all of a kind, over all its pages. */
  readonly listObjects: number
  readonly listBytes: number
  readonly listMs: number
  /** Characters, as JSON, of what an informer keeps of a kind. */
  readonly keptChars: number
}

/**
 * Lists: of a large cluster (5,000 nodes, 150,000 pods; https://kubernetes.io/docs/setup/best-practices/cluster-large/) the
 * pods are some 1.5 GB, and what is kept of them some 100 MB.
 */
export const defaultLimits: Limits = {
  connectMs: 10_000,
  requestMs: 30_000,
  idleMs: 150_000,
  answerBytes: 64 * 2 ** 20,
  connections: 8,
  listObjects: 500_000,
  listBytes: 4 * 2 ** 30,
  listMs: 600_000,
  keptChars: 256 * 2 ** 20,
}
