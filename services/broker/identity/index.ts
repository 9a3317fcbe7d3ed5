/** The door of identity: who is calling, and what that role may do. */
export { protect } from './hooks.ts'
export { type Action, actions, mayTouch } from './policy.ts'
export { createAuthenticator, issueToken, requireAction, requireOwner, visibleParty } from './service.ts'
