/** What ExternalDNS is told at the site where a hosting is active, and where what it was told has to go. */

export interface Endpoint {
  readonly dnsName: string
  readonly ingress: string
  readonly ttlSeconds?: number
}

interface Ingress {
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { ip?: string; hostname?: string }[] } }
}

export interface AnnouncedHosting {
  readonly id: string
  readonly name: string
}

/** The DNSEndpoint, and why a name is not in it. https://kubernetes-sigs.github.io/external-dns/latest/docs/sources/crd/ */
export function announcementOf(
  { id, name }: AnnouncedHosting,
  endpoints: readonly Endpoint[],
  ingresses: ReadonlyMap<string, unknown>,
): { readonly object: object | undefined; readonly problems: readonly string[] } {
  const problems: string[] = []
  const records = endpoints.flatMap(({ dnsName, ingress, ttlSeconds = 60 }) => {
    const found = addressesOf(ingresses.get(ingress) as Ingress | undefined)
    if (found.length === 0) problems.push(`${dnsName}: Ingress ${ingress} has no address here yet`)
    return found.map(({ recordType, targets }) => ({ dnsName, recordType, recordTTL: ttlSeconds, targets }))
  })
  const labels = { 'app.kubernetes.io/managed-by': 'gemeentecloud', 'gemeentecloud.nl/hosting': id }
  const metadata = { name: announcementName, namespace: name, labels }
  const object = { ...announcementKind, metadata, spec: { endpoints: records } }
  return { object: records.length === 0 ? undefined : object, problems }
}

export const announcementName = 'gemeentecloud'
export const announcementKind = { apiVersion: 'externaldns.k8s.io/v1alpha1', kind: 'DNSEndpoint' } as const

/** Addresses go before names: one name cannot have both. */
function addressesOf(ingress: Ingress | undefined): { readonly recordType: string; readonly targets: string[] }[] {
  const found = ingress?.status?.loadBalancer?.ingress ?? []
  const ips = found.flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  const hosts = found.flatMap(({ hostname }) => (hostname === undefined ? [] : [hostname]))
  const of = (recordType: string, targets: string[]) => (targets.length === 0 ? [] : [{ recordType, targets }])
  if (ips.length === 0) return of('CNAME', hosts.slice(0, 1))
  const isSix = (ip: string) => ip.includes(':')
  return [
    ...of(
      'A',
      ips.filter((ip) => !isSix(ip)),
    ),
    ...of('AAAA', ips.filter(isSix)),
  ]
}

export interface Wanted {
  readonly hostingId: string
  /** Null while it is active nowhere. */
  readonly activeId: string | null
  readonly endpoints: readonly Endpoint[]
}

export interface Standing {
  readonly hostingId: string
  readonly datacenterId: string
}

export interface Todo extends Standing {
  readonly what: 'announce' | 'withdraw'
}

/**
 * Announced where it is active; withdrawn elsewhere, once it is active somewhere again: while nobody has the right, what the
 * names say is as good as anything.
 */
export function todoOf(wanted: readonly Wanted[], standing: readonly Standing[]): Todo[] {
  const byHosting = new Map(wanted.map((one) => [one.hostingId, one]))
  const announce = wanted.flatMap(({ hostingId, activeId, endpoints }) =>
    activeId === null || endpoints.length === 0
      ? []
      : [{ hostingId, datacenterId: activeId, what: 'announce' as const }],
  )
  const withdraw = standing.flatMap(({ hostingId, datacenterId }) => {
    const { activeId, endpoints } = byHosting.get(hostingId) ?? { activeId: '', endpoints: [] }
    const isKept = endpoints.length > 0 && (activeId === null || activeId === datacenterId)
    return isKept ? [] : [{ hostingId, datacenterId, what: 'withdraw' as const }]
  })
  return [...withdraw, ...announce]
}

/** Of names that more than one hosting wants, those that an earlier one has. `wanted`: the earliest first. */
export function withoutTaken(wanted: readonly Wanted[]): Wanted[] {
  const taken = new Set<string>()
  return wanted.map((one) => {
    const endpoints = one.endpoints.filter(({ dnsName }) => !taken.has(dnsName))
    for (const { dnsName } of endpoints) taken.add(dnsName)
    return { ...one, endpoints }
  })
}
