/** The gateway as a process of its own, on the PostgreSQL of the broker, to which agents connect as to any replica. */
import './shared/require-node.ts'
import closeWithGrace from 'close-with-grace'
import { createAuthorities, createGathering, createManagement, openStore, openTunnel } from './broker/index.ts'
import { followIdentity, readIdentity, startGateway } from './gateway/index.ts'
import { systemClock } from './shared/clock.ts'
import { type Config, readConfig } from './shared/config.ts'
import { createLogger } from './shared/log.ts'
import { createRegistry } from './shared/metrics.ts'
import { systemRandom } from './shared/random.ts'
import { createSecrets } from './shared/secrets.ts'

const read = readConfig(process.env)
const errors = read.ok ? missing(read.config) : read.errors
if (!read.ok || errors.length > 0) refuse(errors)
const { config } = read
const identity = identityOf(config)
const log = createLogger(config.logLevel)
const database = await openStore(config.databaseUrl ?? '')
const kit = { database, clock: systemClock, random: systemRandom, log }
const encryptionKey = config.encryptionKey ?? new Uint8Array()
const registry = createRegistry()

// 1. The tunnel: agents dial until they are connected to this replica too.
const { address } = config.tunnel
const authorities = createAuthorities(kit, createSecrets(encryptionKey))
await authorities.ensure()
const tunnel = address === undefined ? undefined : await openTunnel(kit, authorities, config.tunnel)
if (!tunnel) log.warn('TUNNEL_ADDRESS is not set: datacenters that have joined by an agent are not reached')

// 2. The gateway on it.
const { files, ...place } = config.gateway
const gateway = await startGateway(kit, {
  ...place,
  identity,
  encryptionKey,
  allowedAddresses: config.allowedAddresses,
  refusedAddresses: config.refusedAddresses,
  registry,
  pipe: tunnel?.pipe,
  deskUrl: config.brokerUrl,
})
const forgetFiles = files && followIdentity(files, identity, kit, gateway.setIdentity)

// 3. Probes and metrics.
let stopping = false
const gathered = tunnel && createGathering(kit, tunnel)
const agents = async () => ({ ...(gathered && { agents: await gathered() }) })
const management = await createManagement(kit, registry, database, () => stopping, agents)
const managementUrl = await management.listen({ host: config.host, port: config.managementPort })
log.info({ gateway: gateway.url, management: managementUrl, tunnel: tunnel?.url }, 'ready')

closeWithGrace({ delay: 20_000, logger: { error: (message) => log.error(message) } }, async ({ err }) => {
  if (err) log.error({ err }, 'stopping after an error')
  stopping = true
  forgetFiles?.()
  await gateway.stop()
  await tunnel?.stop()
  await management.close()
  await database.close()
})

/** What the all-in-one brings along and a process of its own is given. */
function missing({ databaseUrl, brokerUrl, encryptionKey, gateway: { files } }: Config): string[] {
  return [
    ...(databaseUrl === undefined ? ['DATABASE_URL is required here'] : []),
    ...(brokerUrl === undefined ? ['BROKER_URL is required here'] : []),
    ...(encryptionKey === undefined ? ['ENCRYPTION_KEY is required here: the one of the broker'] : []),
    ...(files === undefined ? ['GATEWAY_CERTIFICATE_FILE and GATEWAY_KEY_FILE are required here'] : []),
  ]
}

function identityOf({ gateway: { files } }: Config): ReturnType<typeof readIdentity> {
  try {
    return readIdentity(files ?? { cert: '', key: '' })
  } catch (error) {
    return refuse([`GATEWAY_CERTIFICATE_FILE, GATEWAY_KEY_FILE, GATEWAY_CA_FILE: ${(error as Error).message}`])
  }
}

function refuse(errors: readonly string[]): never {
  console.error(`The gateway did not start. ${errors.length === 1 ? 'This is wrong' : 'These are wrong'}:`)
  for (const error of errors) console.error(`  ${error}`)
  process.exit(2)
}
