/** The door of parties. */
export { partyRoutes } from './routes.ts'
export { getParty } from './service.ts'
export { ensureLoket } from './store.ts'
