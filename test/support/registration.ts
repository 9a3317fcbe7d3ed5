/** The smallest registration of a sandbox datacenter that the API takes. */
export function registrationOf(slug: string, operatorId: string, kubeconfig: string) {
  return {
    slug,
    name: slug,
    operatorId,
    region: 'limburg',
    position: { latitude: 50.9, longitude: 5.9 },
    failureDomains: [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
    connection: { kind: 'sandbox', kubeconfig },
  }
}
