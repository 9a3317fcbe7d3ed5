/** Metrics of the HTTP API: how long each route takes, by status. */
import { Histogram, type Registry } from 'prom-client'
import type { HttpServer } from './server.ts'

export function httpMetrics(registry: Registry, app: HttpServer): void {
  const duration = new Histogram({
    name: 'gemeentecloud_http_request_duration_seconds',
    help: 'Time from request to answer, by route pattern',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  })
  const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
  app.addHook('onResponse', async (request, reply) => {
    const method = methods.has(request.method) ? request.method : 'other'
    duration.observe(
      { method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    )
  })
}
