/** The door of the broker, for who composes it with other services in one process. */
export { createAuthorities, createGathering, openTunnel } from './agents/index.ts'
export { bootstrapDesk } from './bootstrap.ts'
export { type Broker, startBroker } from './broker.ts'
export { createManagement } from './management.ts'
export { openStore } from './open-store.ts'
export { type Contents, countContents } from './store.ts'
