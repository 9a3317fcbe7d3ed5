/** The demonstration federation. */
export { type DemoDatacenter, demoDatacenters, storageClasses } from './datacenters.ts'
export { demoSystems } from './hostings.ts'
export { type Agents, type SeedSummary, seedFederation } from './seed.ts'
