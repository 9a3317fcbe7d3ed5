/** The door of the agent, for who composes it with other services in one process. */
export { kubeconfigAccess } from './access.ts'
export { type Agent, startAgent } from './agent.ts'
export { recordInFile } from './fallback/record.ts'
export { type Keep, keepInFile } from './keep.ts'
