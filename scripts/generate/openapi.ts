/** Generates schemas/openapi.json from the routes themselves; no store and no socket is needed for that. */
import { createApp } from '../../services/broker/app.ts'
import { publishedDocument } from '../../services/broker/openapi.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { offlineKit, offlineWays } from './offline.ts'

/** The document as text, ending in a newline. */
export async function openApiDocument(): Promise<string> {
  const { http } = await createApp(offlineKit, createRegistry(), offlineWays)
  await http.ready()
  const document = publishedDocument(http.swagger())
  await http.close()
  return `${JSON.stringify(document, null, 2)}\n`
}
