/** Generates schemas/openapi.json from the routes themselves; no store and no socket is needed for that. */
import pino from 'pino'
import { createApp } from '../../services/broker/app.ts'
import { withNamedSchemas } from '../../services/broker/openapi.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Database } from '../../services/shared/db/database.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'

const unused = async (): Promise<never> => {
  throw new Error('the document needs no store')
}
const noStore: Database = {
  query: unused,
  transaction: unused,
  session: unused,
  hint: () => undefined,
  listen: () => async () => undefined,
  close: async () => undefined,
}

/** The document as text, ending in a newline. */
export async function openApiDocument(): Promise<string> {
  const kit = { database: noStore, clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  const { http } = await createApp(kit, createRegistry(), unused)
  await http.ready()
  const document = withNamedSchemas(http.swagger())
  await http.close()
  return `${JSON.stringify(document, null, 2)}\n`
}
