/** A replica of the broker on a PostgreSQL of yours: configuration → dependencies → listen → graceful stop. */
import '../shared/require-node.ts'
import closeWithGrace from 'close-with-grace'
import { systemClock } from '../shared/clock.ts'
import { readConfig } from '../shared/config.ts'
import { createLogger } from '../shared/log.ts'
import { systemRandom } from '../shared/random.ts'
import { UnknownKey } from '../shared/secrets.ts'
import { bootstrapDesk } from './bootstrap.ts'
import { startBroker } from './broker.ts'
import { openStore } from './open-store.ts'

const read = readConfig(process.env)
const missing = read.ok
  ? (['databaseUrl', 'encryptionKey'] as const).filter((name) => read.config[name] === undefined)
  : []
const errors = read.ok
  ? missing.map(
      (name) =>
        `${name === 'databaseUrl' ? 'DATABASE_URL' : 'ENCRYPTION_KEY'} is required here; \`npm start\` brings its own`,
    )
  : read.errors
if (!read.ok || errors.length > 0) {
  console.error(`The broker did not start. ${errors.length === 1 ? 'This is wrong' : 'These are wrong'}:`)
  for (const error of errors) console.error(`  ${error}`)
  process.exit(2)
}

const { config } = read
const log = createLogger(config.logLevel)
const database = await openStore(config.databaseUrl ?? '')
const kit = { database, clock: systemClock, random: systemRandom, log }
if (config.bootstrapToken !== undefined) await bootstrapDesk(kit, config.desk, config.bootstrapToken)
const encryptionKey = config.encryptionKey ?? new Uint8Array()
const broker = await startBroker(kit, { ...config, encryptionKey }).catch((error) => {
  if (!(error instanceof UnknownKey)) throw error
  console.error(`The broker did not start: ${error.message}`)
  process.exit(2)
})
log.info({ api: broker.url, management: broker.managementUrl }, 'ready')

closeWithGrace({ delay: 20_000, logger: { error: (message) => log.error(message) } }, async ({ err }) => {
  if (err) log.error({ err }, 'stopping after an error')
  await broker.stop()
  await database.close()
})
