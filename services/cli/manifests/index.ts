/** From Kubernetes manifests, as `helm template` prints them, to what a hosting request asks. */
export { demandFrom, type ManifestOptions, type ManifestResult } from './demand.ts'
