/** What the OpenAPI document says beside the routes: title, servers, security, tags. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'gemeentecloud',
      version: '1.0.0',
      description: 'The national desk for municipal datacenter capacity: register datacenters, ask for hosting, follow what happens.',
      license: { name: 'EUPL-1.2', url: 'https://eupl.eu/1.2/en/' },
      contact: { name: 'Landelijk loket', url: 'https://gemeentecloud.nl' },
    },
    servers: [{ url: '/api/v1', description: 'This broker' }],
    tags: [
      { name: 'parties', description: 'Organisations and their tokens' },
      { name: 'datacenters', description: 'Capacity that providers register and offer' },
      { name: 'systems', description: 'Software that consumers run' },
      { name: 'hostings', description: 'Deployments that are placed, billed and failed over' },
      { name: 'quotes', description: 'Where something would fit, and its price' },
      { name: 'events', description: 'Every change, in order' },
    ],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
  },
  stripBasePath: true,
}
