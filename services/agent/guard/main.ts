/** The guard of one node: configuration → container runtime and agent → graceful stop. */
import '../../shared/require-node.ts'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { systemClock } from '../../shared/clock.ts'
import { createLogger } from '../../shared/log.ts'
import { createRegistry } from '../../shared/metrics.ts'
import { createAgentManagement } from '../management.ts'
import { agentLine } from './ask.ts'
import { readBoot } from './boot.ts'
import { readGuardConfig } from './config.ts'
import { connectRuntime } from './cri/runtime.ts'
import { guardFile } from './file.ts'
import { guardMetrics } from './metrics.ts'
import { startNodeGuard } from './node-guard.ts'
import { openWatchdog } from './watchdog.ts'

const read = readGuardConfig(process.env)
if (!read.ok) {
  console.error('The guard did not start. Wrong in its configuration:')
  for (const error of read.errors) console.error(`  ${error}`)
  process.exit(2)
}
const { config } = read
const log = createLogger(config.logLevel)
const registry = createRegistry()
const guard = await startNodeGuard({
  node: config.node,
  boot: readBoot(config.proc),
  file: guardFile(join(config.dataDirectory, 'guard.json')),
  runtime: connectRuntime(config.runtimeSocket),
  line: agentLine(config.agent, config.keyFile),
  watchdog: config.watchdog === undefined ? undefined : openWatchdog(config.watchdog),
  gateImage: config.gateImage,
  clock: systemClock,
  log,
  metrics: guardMetrics(registry, systemClock.monotonic),
})
const management = createAgentManagement(registry, guard.trouble)
await new Promise<void>((resolve, reject) => {
  management.once('error', reject).listen(config.managementPort, config.host, resolve)
})
log.info({ node: config.node, management: (management.address() as AddressInfo).port }, 'started')

closeWithGrace({ delay: 20_000, logger: { error: (message) => log.error(message) } }, async ({ err }) => {
  if (err) log.error({ err }, 'stopping after an error')
  await guard.stop()
  management.close()
  management.closeAllConnections()
})
