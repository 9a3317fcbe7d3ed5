/** Everything in one process: an embedded PostgreSQL, the broker, and a sandbox federation to look at. What `npm start` runs. */
import './shared/require-node.ts'

import { resolve } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { bootstrapDesk, openStore, startBroker } from './broker/index.ts'
import { createProgress, welcome } from './console.ts'
import { developmentTokens } from './development-tokens.ts'
import { startDemonstration } from './sandbox/index.ts'
import { systemClock } from './shared/clock.ts'
import { readConfig } from './shared/config.ts'
import { DataDirectoryInUse, lockDataDirectory } from './shared/db/data-lock.ts'
import { startEmbedded } from './shared/db/embedded.ts'
import { readLocalAccess, writeLocalAccess } from './shared/local-access.ts'
import { createLogger } from './shared/log.ts'
import { systemRandom } from './shared/random.ts'

const loopback = ['127.0.0.0/8', '::1/128']
const say = (text: string) => process.stdout.write(`${text}\n`)

const read = readConfig(process.env)
const flags = process.argv.slice(2)
const errors = [
  ...(read.ok ? [] : read.errors),
  ...flags.filter((flag) => flag !== '--empty').map((flag) => `${flag} is not an option; --empty is`),
]
if (!read.ok || errors.length > 0) {
  console.error('gemeentecloud did not start. Wrong in its configuration:')
  for (const error of errors) console.error(`  ${error}`)
  process.exit(2)
}
const { config } = read
const empty = flags.includes('--empty')
const directory = resolve(config.dataDirectory)
const log = createLogger(process.env.LOG_LEVEL ? config.logLevel : 'warn')

try {
  await run()
} catch (error) {
  const known = error instanceof DataDirectoryInUse || (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
  console.error(`gemeentecloud did not start: ${known ? (error as Error).message : (error as Error).stack}`)
  process.exit(1)
}

async function run(): Promise<void> {
  // 1. The data directory is ours alone, for as long as this process lives.
  const lock = await lockDataDirectory(directory)
  const stops: (() => Promise<void>)[] = [lock.release]
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  closeWithGrace({ delay: 20_000, logger: { error: (message) => log.error(message) } }, async ({ err, signal }) => {
    if (err) log.error({ err }, 'stopping after an error')
    if (signal) say('\nStopping …')
    await stop()
  })

  // 2. The store: made, adopted or somebody else's.
  const postgres = config.databaseUrl === undefined ? await startEmbedded({ dataDirectory: directory, log }) : undefined
  if (postgres) stops.push(postgres.stop)
  const database = await openStore(postgres?.url ?? config.databaseUrl ?? '')
  stops.push(database.close)

  // 3. The simulated clusters, before the broker looks for them.
  const demonstration = empty
    ? undefined
    : await startDemonstration({ directory, clock: systemClock, random: systemRandom })
  if (demonstration) stops.push(demonstration.stop)

  // 4. The broker.
  const access = readLocalAccess(directory)
  const kit = { database, clock: systemClock, random: systemRandom, log }
  await bootstrapDesk(kit, config.desk, access.tokens.loket)
  const encryptionKey = config.encryptionKey ?? Buffer.from(access.encryptionKey, 'base64')
  const allowedAddresses = [...loopback, ...config.allowedAddresses]
  const broker = await startBroker(kit, { ...config, encryptionKey, allowedAddresses })
  stops.push(broker.stop)
  access.api = broker.url
  writeLocalAccess(directory, access)

  // 5. The demonstration, over the API like anybody else.
  const progress = createProgress(process.stdout)
  const summary = await demonstration?.seed({
    api: broker.url,
    loketToken: access.tokens.loket,
    progress: progress.show,
  })
  await developmentTokens(broker.url, access, systemRandom)
  writeLocalAccess(directory, access)
  progress.clear()
  say(welcome({ seconds: process.uptime(), broker, directory, demonstration, summary }))
}
