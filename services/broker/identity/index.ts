/** The door of identity: who is calling, and what that role may do. */
export { protect } from './hooks.ts'
export { mayTouch } from './policy.ts'
export { createAuthenticator, issueToken, requireOwner, visibleParty } from './service.ts'
