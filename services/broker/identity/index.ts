/** The door of identity: who is calling, and what that role may do. */
export { createAuthenticator } from '../../shared/identity/authenticate.ts'
export { protect } from './hooks.ts'
export { mayTouch } from './policy.ts'
export { identityRoutes } from './routes.ts'
export { issueToken, requireOwner, visibleParty } from './service.ts'
export { forgetShortLived } from './short-lived.ts'
