/** The contract: every shape that crosses the API, from one source for types, validation and OpenAPI. */
export * from './common.ts'
export * from './datacenters.ts'
export * from './events.ts'
export * from './hostings.ts'
export * from './parties.ts'
export * from './unmet.ts'
