/** The door of the event log. */
export { auditRoutes } from './routes.ts'
export { appendEvents } from './service.ts'
export type { NewEvent } from './store.ts'
export { createEventSource, type EventSource } from './stream.ts'
