/** An agent of one datacenter: configuration → its own cluster → the desk → graceful stop. */
import '../shared/require-node.ts'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { systemClock } from '../shared/clock.ts'
import { connectCluster } from '../shared/kubernetes/index.ts'
import { createLogger } from '../shared/log.ts'
import { createRegistry } from '../shared/metrics.ts'
import { systemRandom } from '../shared/random.ts'
import { kubeconfigAccess, ownPolicy, podAccess } from './access.ts'
import { startAgent } from './agent.ts'
import { readAgentConfig } from './config.ts'
import { fallbackSetup } from './fallback/setup.ts'
import { keepInFile, keepInSecret } from './keep.ts'
import { createAgentManagement } from './management.ts'
import { agentProcessMetrics, fallbackMetrics } from './metrics.ts'

const read = readAgentConfig(process.env)
if (!read.ok) {
  console.error('The agent did not start. Wrong in its configuration:')
  for (const error of read.errors) console.error(`  ${error}`)
  process.exit(2)
}
const { config } = read
const log = createLogger(config.logLevel)
const kit = { clock: systemClock, random: systemRandom, log }
const registry = createRegistry()
const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

const { pod, kubeconfig } = config
const access = kubeconfig === undefined ? podAccess(process.env) : kubeconfigAccess(readFileSync(kubeconfig, 'utf8'))
const options = { ...ownPolicy, ...kit, authorization: access.authorization }
const keep = pod
  ? keepInSecret(await connectCluster(access.connection, options), pod.namespace, pod.release)
  : keepInFile(join(config.dataDirectory, 'agent.json'))
const agent = await startAgent({
  ...kit,
  desk: config.desk,
  joinToken: config.joinToken,
  access,
  keep,
  ...(pod && { lease: { namespace: pod.namespace, name: pod.release, holder: pod.name } }),
  version,
  metrics: { ...agentProcessMetrics(registry, systemClock.now), ...fallbackMetrics(registry) },
  ...(config.fallback && { fallback: fallbackSetup(config, systemRandom) }),
})
const management = createAgentManagement(registry, agent.trouble)
await new Promise<void>((resolve, reject) => {
  management.once('error', reject).listen(config.managementPort, config.host, resolve)
})
log.info({ management: (management.address() as AddressInfo).port }, 'started')

closeWithGrace({ delay: 40_000, logger: { error: (message) => log.error(message) } }, async ({ err }) => {
  if (err) log.error({ err }, 'stopping after an error')
  await agent.stop()
  management.close()
  management.closeAllConnections()
})
