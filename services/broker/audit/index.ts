/** The door of the event log. */
export { appendEvents } from '../../shared/audit/append.ts'
export type { NewEvent } from '../../shared/audit/store.ts'
export { auditRoutes } from './routes.ts'
export { createEventSource, type EventSource } from './stream.ts'
