/** How a process takes part in failover, from its settings. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../shared/random.ts'
import type { AgentConfig } from '../config.ts'
import { readBoot } from '../guard/boot.ts'
import { sharedKey } from './key.ts'
import type { Published } from './publish.ts'
import { recordInFile, recordInSecret } from './record.ts'
import type { FallbackSetup } from './serve.ts'

export function fallbackSetup(
  { pod, dataDirectory, host, guards, peers }: Pick<AgentConfig, 'pod' | 'dataDirectory' | 'host' | 'guards' | 'peers'>,
  random: Random,
): FallbackSetup {
  return {
    ...bootClock(),
    store: (client) =>
      pod
        ? recordInSecret(client, pod.namespace, `${pod.release}-fallback`)
        : recordInFile(join(dataDirectory, 'fallback.json')),
    ...(guards && {
      guards: {
        host,
        port: guards.port,
        key: async (client) => {
          if (guards.keyFile !== undefined) return readFileSync(guards.keyFile)
          if (!pod) throw new Error('there is no key of guards')
          return await sharedKey(client, pod.namespace, `${pod.release}-guard`, random)
        },
      },
    }),
    ...(peers && { peers: { host, ...peers, ...(pod?.address && { published: publishedOf(pod, peers.port) }) } }),
  }
}

function publishedOf({ namespace, release, address = '' }: NonNullable<AgentConfig['pod']>, port: number): Published {
  return { namespace, service: `${release}-peers`, address, port }
}

/** A lease runs out while the machine sleeps, too, which the usual clock does not count. */
function bootClock(): Pick<FallbackSetup, 'monotonic'> {
  try {
    return { monotonic: readBoot('/proc').now }
  } catch {
    // No Linux: then the usual one.
    return {}
  }
}
