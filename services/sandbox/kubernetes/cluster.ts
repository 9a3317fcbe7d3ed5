/** One simulated cluster: its objects, what happens in it by itself, and who watches. */
import { timingSafeEqual } from 'node:crypto'
import { stringify } from 'yaml'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { runControllers } from './controllers.ts'
import type { Fault } from './faults.ts'
import { sandboxUser } from './reviews.ts'
import { type ClusterSeed, seedObjects } from './seed.ts'
import { createStore, type Store } from './store.ts'
import type { Watch } from './watch.ts'

export interface SandboxCluster {
  readonly name: string
  /** `https://127.0.0.1:PORT/clusters/NAME`. */
  readonly server: string
  readonly store: Store
  /** For its one user, who may do everything. YAML. */
  kubeconfig(): string
  /** Undefined makes it well again. */
  setFault(fault: Fault | undefined): void
  fault(): Fault | undefined
  /** Whether a token is this cluster's. */
  admits(token: string): boolean
  /** Keeps an open watch until it is over; returns how to end it before. */
  keep(watch: Watch): () => void
  tick(): void
  stop(): void
}

export interface ClusterOptions {
  readonly clock: Clock
  readonly random: Random
  readonly server: string
  /** PEM. */
  readonly ca: string
  readonly token: string
  /** The same for as long as it is the same cluster. */
  readonly uid: string
}

export function createCluster(name: string, seed: ClusterSeed, options: ClusterOptions): SandboxCluster {
  const { clock, random, server, ca, token } = options
  const store = createStore(clock, random, seedObjects(seed, options.uid))
  const stopControllers = runControllers({ store, clock, random, ca })
  const watches = new Set<Watch>()
  let fault: Fault | undefined
  const endWatches = () => {
    for (const watch of watches) watch.stop()
    watches.clear()
  }
  return {
    name,
    server,
    store,
    kubeconfig: () => stringify(kubeconfigFor(name, server, ca, token)),
    fault: () => fault,
    setFault: (next) => {
      fault = next?.kind === 'forget' ? undefined : next
      if (next?.kind === 'forget') store.compact()
      if (next?.kind === 'forget' || next?.kind === 'refuse') endWatches()
    },
    admits: (shown) => shown.length === token.length && timingSafeEqual(Buffer.from(shown), Buffer.from(token)),
    keep: (watch) => {
      watches.add(watch)
      return () => {
        if (watches.delete(watch)) watch.stop()
      }
    },
    tick: () => {
      // A cluster that hangs says nothing on its watches either.
      if (fault?.kind === 'hang') return
      for (const watch of watches) if (!watch.tick()) watches.delete(watch)
    },
    stop: () => {
      stopControllers()
      endWatches()
    },
  }
}

function kubeconfigFor(name: string, server: string, ca: string, token: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: sandboxUser, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: sandboxUser } }],
    'current-context': name,
  }
}
