/** What generators hand to code that wants a kit, though nothing of the store is needed to describe it. */
import pino from 'pino'
import { createAuthorities } from '../../services/broker/agents/index.ts'
import type { Ways } from '../../services/broker/app.ts'
import { createFenceCaller } from '../../services/broker/fallback/index.ts'
import { profiles } from '../../services/fallback/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createSecrets } from '../../services/shared/secrets.ts'

/** Every use of the store fails with this. */
const unused = async (): Promise<never> => {
  throw new Error('a generator needs no store')
}

/** A kit without a store; hints and listening are taken and lead to nothing. */
export const offlineKit: Kit = {
  database: {
    query: unused,
    transaction: unused,
    session: unused,
    hint: () => undefined,
    listen: () => async () => undefined,
    close: async () => undefined,
  },
  clock: systemClock,
  random: systemRandom,
  log: pino({ level: 'silent' }),
}

const secrets = createSecrets(new Uint8Array(32))

/** Ways to datacenters that none is reached by. */
export const offlineWays: Ways = {
  connect: unused,
  agents: {
    authorities: createAuthorities(offlineKit, secrets),
    tunnels: () => [],
    connect: unused,
  },
  fallback: { profile: profiles.standard, fences: createFenceCaller(secrets, { allowedAddresses: [] }) },
}
