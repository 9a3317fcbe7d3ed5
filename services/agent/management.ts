/** The agent's own port: probes and metrics, for machines inside the cluster. */
import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'

/** `/livez`: the process turns. `/readyz`: it is connected to the desk, or stands by for one that is. `/metrics`. */
export function createAgentManagement(registry: Registry, trouble: () => string | undefined): Server {
  return createServer(async (request, response) => {
    const send = (status: number, body: string, type = 'application/json') =>
      response.writeHead(status, { 'content-type': type }).end(body)
    if (request.method !== 'GET') return send(405, '{"status":"method-not-allowed"}')
    if (request.url === '/livez') return send(200, '{"status":"ok"}')
    if (request.url === '/metrics') return send(200, await registry.metrics(), registry.contentType)
    if (request.url !== '/readyz') return send(404, '{"status":"not-found"}')
    const reason = trouble()
    return send(
      reason === undefined ? 200 : 503,
      JSON.stringify({ status: reason === undefined ? 'ok' : 'not-ready', ...(reason !== undefined && { reason }) }),
    )
  })
}
