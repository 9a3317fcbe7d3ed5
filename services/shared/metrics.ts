/** The registry that one process exposes, with the metrics of the process itself. */
import { collectDefaultMetrics, Registry } from 'prom-client'

export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/**
 * One reading for all gauges that are set from it: each waits for it in a scrape, for one that does not would show what the
 * scrape before had read.
 */
export function readOnce(read: () => Promise<void>): () => Promise<void> {
  let reading: Promise<void> | undefined
  return () => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
}
