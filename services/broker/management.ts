/** The management port: metrics and probes, for machines inside the walls; never routed to the outside. */
import type { Registry } from 'prom-client'
import type { Database } from '../shared/db/database.ts'
import { createHttpServer, type HttpOptions, type HttpServer } from '../shared/http/server.ts'

const probeMs = 2_000

/** `/livez`: the process turns. `/readyz`: it can serve: the store answers, and `others` are `ok`. `/metrics`: for Prometheus. */
export async function createManagement(
  options: HttpOptions,
  registry: Registry,
  database: Database,
  stopping: () => boolean,
  others: () => Promise<Readonly<Record<string, string>>> = async () => ({}),
): Promise<HttpServer> {
  const app = await createHttpServer(options)
  app.get('/metrics', async (_request, reply) =>
    reply
      .type(registry.contentType)
      .serializer(String)
      .send(await registry.metrics()),
  )
  app.get('/livez', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const store = stopping() ? 'stopping' : await storeAnswers(database, options)
    const checks = { store, ...(store === 'ok' && (await others())) }
    const isReady = Object.values(checks).every((check) => check === 'ok')
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'not-ready', checks })
  })
  return app
}

/** In words of ours: what PostgreSQL says names hosts, roles and databases, and belongs in the log. */
async function storeAnswers(database: Database, { clock, log }: HttpOptions): Promise<string> {
  const abort = new AbortController()
  const late = clock.sleep(probeMs, abort.signal).then(
    () => 'does not answer',
    () => 'ok',
  )
  const answer = database.query('select 1').then(
    () => 'ok',
    (error: Error) => {
      log.warn({ err: error }, 'the store does not answer a probe')
      return 'cannot be reached'
    },
  )
  return Promise.race([answer, late]).finally(() => abort.abort())
}
