/** What a caller asked, in the engine's terms; the engine's own, so that the simulator reads a request as we do. */
export { contradictions, demandOf, type Owner } from '../../../placement/index.ts'
