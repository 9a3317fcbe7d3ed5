/** The registry that one process exposes, with the metrics of the process itself. */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'

/** Measured once, whichever registry shows it: each measuring has timers and observers that end with the process. */
let ofProcess: Registry | undefined

export function createRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  const registry = new Registry()
  for (const metric of ofProcess.getMetricsAsArray()) registry.registerMetric(metric as unknown as Metric)
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
