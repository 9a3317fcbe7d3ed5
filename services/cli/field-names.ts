/** The place of a field as people write it: `components[0].requests.cpu`, and the option that would set it. */

/** By JSON Pointer; the longest that leads there is meant. */
const options: Readonly<Record<string, string>> = {
  '/slug': '--slug',
  '/name': '--name',
  '/region': '--region',
  '/position': '--position',
  '/failureDomains': '--failure-domain',
  '/security/classes': '--classes',
  '/classes': '--classes',
  '/security/evidence': '--evidence',
  '/capabilities': '--capability',
  '/pue': '--pue',
  '/nodesVisible': '--hide-nodes',
  '/operatorId': '--operator',
  '/amounts': '--resource',
  '/amounts/cpu': '--cpu',
  '/amounts/memory': '--memory',
  '/amounts/pods': '--pods',
  '/amounts/ephemeral-storage': '--ephemeral-storage',
  '/tariff': '--tariff',
  '/period/start': '--from',
  '/period/end': '--until',
  '/fallback/mode': '--fallback',
  '/fallback/warmReplicas': '--warm-replicas',
  '/fallback/minDistanceKm': '--min-distance',
  '/fallback/differ': '--differ',
  '/constraints/regions': '--region',
  '/constraints/regionsNot': '--not-region',
  '/constraints/evidence': '--evidence',
  '/constraints/capabilities': '--capability',
  '/constraints/maxPriceCentsPerMonth': '--max-price',
  '/constraints/together': '--together',
  '/constraints/apart': '--apart',
  '/constraints/apartSystems': '--apart-from-system',
  '/constraints/weights': '--weight',
  '/priority': '--priority',
  '/preemptible': '--preemptible',
  '/waitForCapacity': '--wait-for-capacity',
  '/systemId': '--system',
  '/kubeconfig': '--kubeconfig',
  '/connection/kubeconfig': '--kubeconfig',
  '/query/region': '--region',
  '/query/type': '--type',
  '/query/cursor': '--after',
  '/headers/idempotency-key': '--idempotency-key',
}

/** What a person calls the field of a JSON Pointer (RFC 6901). */
export function fieldName(pointer: string): string {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const [place, ...inQuery] = parts
  const named = place === 'query' || place === 'headers' ? inQuery : parts
  const path = named.reduce((text, part) => text + step(part, text === ''), '')
  const prefixes = parts.map((_, index) => pointer.split('/', index + 2).join('/'))
  const option = prefixes.findLast((prefix) => prefix in options)
  return `${path || 'the whole'}${option === undefined ? '' : ` (${options[option]})`}`
}

/** As in JavaScript and jq: a position in brackets, and a name that is no word as well. */
function step(part: string, first: boolean): string {
  if (/^\d+$/.test(part)) return `[${part}]`
  if (/^[A-Za-z_][\w-]*$/.test(part)) return first ? part : `.${part}`
  return `["${part}"]`
}
