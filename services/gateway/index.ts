/** The door of the gateway, for who composes it with other services in one process. */
export { followIdentity, type IdentityFiles, ownIdentity, readIdentity, type ServerIdentity } from './certificate.ts'
export { type Gateway, startGateway } from './gateway.ts'
