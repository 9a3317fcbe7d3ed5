/** Everything in one process: an embedded PostgreSQL, the broker, and a sandbox federation to look at. What `npm start` runs. */
import './shared/require-node.ts'

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { bootstrapDesk, countContents, openStore, startBroker } from './broker/index.ts'
import { createProgress, usage, wayOut, welcome } from './console.ts'
import { demonstrationAgents } from './demonstration-agents.ts'
import { developmentTokens } from './development-tokens.ts'
import { ownIdentity, readIdentity, startGateway } from './gateway/index.ts'
import { startDemonstration } from './sandbox/index.ts'
import { systemClock } from './shared/clock.ts'
import { readConfig } from './shared/config.ts'
import { DataDirectoryInUse, lockDataDirectory } from './shared/db/data-lock.ts'
import { startEmbedded } from './shared/db/embedded.ts'
import { readLocalAccess, writeLocalAccess } from './shared/local-access.ts'
import { createFileLogger, createLogger } from './shared/log.ts'
import { createRegistry } from './shared/metrics.ts'
import { systemRandom } from './shared/random.ts'

const loopback = ['127.0.0.0/8', '::1/128']
const loopbackNames = ['localhost', '127.0.0.1', '::1']
const say = (text: string) => process.stdout.write(`${text}\n`)

const read = readConfig(process.env)
const flags = process.argv.slice(2)
if (flags.includes('--help')) {
  say(usage)
  process.exit(0)
}
const errors = [
  ...(read.ok ? [] : read.errors),
  ...flags.filter((flag) => flag !== '--empty').map((flag) => `${flag} is not an option; --empty and --help are`),
]
if (!read.ok || errors.length > 0) {
  console.error('gemeentecloud did not start. Wrong in its configuration:')
  for (const error of errors) console.error(`  ${error}`)
  process.exit(2)
}
const { config } = read
const empty = flags.includes('--empty')
const directory = resolve(config.dataDirectory)
if (empty && existsSync(join(directory, 'sandbox.json'))) {
  console.error(`gemeentecloud did not start: ${directory} holds the demonstration, whose clusters would be missing.
  Leave out --empty, or name another directory with GEMEENTECLOUD_DATA.`)
  process.exit(2)
}
let log = createLogger(process.env.LOG_LEVEL ? config.logLevel : 'warn')

/** What undoes what was begun; the first of it is the lock. */
const stops: (() => Promise<void>)[] = []
const stop = async (keep = 0) => {
  for (const each of stops.splice(keep).toReversed()) await each()
}
let stopping = false
const unlessStopping = () => {
  if (stopping) throw new Error('stopped while it started')
}
/** From here on `undo` is done at the stop; a start that is to stop goes no further. */
const begun = (undo: () => Promise<void>) => {
  stops.push(undo)
  unlessStopping()
}

const starting = run()
closeWithGrace({ delay: 20_000, logger: { error: (message) => log.error(message) } }, async ({ err, signal }) => {
  stopping = true
  if (err) log.error({ err }, 'stopping after an error')
  if (signal) say('\nStopping …')
  // A start that was under way fails by this; what it began meanwhile is stopped too, and then the lock is let go.
  await stop(1)
  await Promise.allSettled([starting])
  await stop()
})
await starting.catch(async (error) => {
  if (stopping) return
  const known = error instanceof DataDirectoryInUse ? error.message : wayOut(error, config)
  console.error(`gemeentecloud did not start: ${known ?? (error as Error).stack}`)
  // PostgreSQL is a process of its own and would stay behind.
  await stop()
  process.exit(1)
})

async function run(): Promise<void> {
  // 1. The data directory is ours alone, for as long as this process lives.
  const lock = await lockDataDirectory(directory)
  begun(lock.release)
  // Who starts it looks at a terminal, where a line for each agent that waits a moment would hide what is said.
  const logFile = process.env.LOG_LEVEL ? undefined : join(directory, 'log.jsonl')
  if (logFile) log = createFileLogger('warn', logFile, (sentence) => console.error(`${sentence} (${logFile})`))

  // 2. The store: made, adopted or somebody else's.
  const postgres = config.databaseUrl === undefined ? await startEmbedded({ dataDirectory: directory, log }) : undefined
  if (postgres) begun(postgres.stop)
  const database = await openStore(postgres?.socketUrl ?? postgres?.url ?? config.databaseUrl ?? '')
  begun(database.close)

  // 3. The simulated clusters, before the broker looks for them.
  const demonstration = empty
    ? undefined
    : await startDemonstration({ directory, clock: systemClock, random: systemRandom })
  if (demonstration) begun(demonstration.stop)

  // 4. The broker.
  const access = readLocalAccess(directory)
  const kit = { database, clock: systemClock, random: systemRandom, log }
  await bootstrapDesk(kit, config.desk, access.tokens.loket)
  const encryptionKey = config.encryptionKey ?? Buffer.from(access.encryptionKey, 'base64')
  const allowedAddresses = [...loopback, ...config.allowedAddresses]
  const common = { encryptionKey, allowedAddresses, registry: createRegistry() }
  const broker = await startBroker(kit, { ...config, ...common, sandboxClusters: !empty })
  begun(broker.stop)
  access.api = broker.url

  // 5. The gateway, at which all datacenters are one cluster.
  const { files, ...place } = config.gateway
  const identity = files ? readIdentity(files) : await ownIdentity(directory, [place.host, ...loopbackNames], kit)
  const gateway = await startGateway(kit, {
    ...place,
    ...common,
    refusedAddresses: config.refusedAddresses,
    identity,
    pipe: broker.pipe,
    deskUrl: broker.url,
  })
  begun(gateway.stop)
  access.gateway = { url: gateway.url, ca: identity.ca }
  writeLocalAccess(directory, access)

  // 6. The demonstration, over the API like anybody else.
  const progress = createProgress(process.stdout)
  const agents = demonstrationAgents({
    ...kit,
    directory,
    desk: broker.url,
    tunnel: broker.tunnelUrl,
    version: 'demonstration',
  })
  begun(agents.stop)
  await demonstration?.seed({ api: broker.url, loketToken: access.tokens.loket, progress: progress.show, agents })
  await developmentTokens(broker.url, access, systemRandom)
  writeLocalAccess(directory, access)
  progress.clear()
  const contents = await countContents(database)
  unlessStopping()
  say(welcome({ seconds: process.uptime(), broker, gateway, directory, logFile, demonstration, contents }))
}
