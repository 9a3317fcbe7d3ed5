/** Whether a replica that has just started has met the agents: until then it does not reach what its neighbours reach. */
import type { Kit } from '../../shared/kit.ts'
import { selectAnswering } from './store.ts'
import type { AgentTunnel } from './tunnel.ts'

/** An agent that reaches the others and not this one may not keep it from serving. */
const patienceMs = 60_000

/** `ok` from when every agent of a datacenter that answers is connected here, or has had its time. */
export function createGathering(
  { database, clock }: Pick<Kit, 'database' | 'clock'>,
  tunnel: Pick<AgentTunnel, 'has'>,
): () => Promise<string> {
  const start = clock.monotonic()
  let isDone = false
  return async () => {
    isDone ||= clock.monotonic() - start >= patienceMs || (await selectAnswering(database)).every(tunnel.has)
    return isDone ? 'ok' : 'are awaited'
  }
}
