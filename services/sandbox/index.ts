/** The demonstration: simulated clusters and a federation of real names with invented capacities. */
export { type Demonstration, startDemonstration } from './demonstration.ts'
