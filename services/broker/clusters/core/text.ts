/** Text that a cluster wrote, made fit to be stored and shown: PostgreSQL takes neither NUL nor half a surrogate pair. */

/** As long as the longest name of Kubernetes. */
const longest = 253

/** What is no visible character becomes one that says so; whatever the cluster gave is text. */
export function plainText(given: unknown): string {
  return String(given).replaceAll(/\p{C}/gu, '�').slice(0, longest).toWellFormed()
}
