/** How the kind is called. */
export const group = 'hosting.gemeentecloud.nl'
export const version = 'v1'
export const apiVersion = `${group}/${version}`
export const kind = 'HostingRequest'
export const resource = 'hostingrequests'
export const shortNames = ['hr']
/** Is on each until its hosting has ended at every datacenter. */
export const finalizer = `${group}/placements`
/** On a Namespace: the request for its hosting, in YAML or JSON. */
export const requestAnnotation = `${group}/request`
