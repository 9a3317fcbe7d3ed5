/** What many hostings have in common is kept once: a million of them repeat a few thousand words and wishes. */
import type { HostingDemand, PlacedHosting, Seat } from '../../../placement/index.ts'

/** Returns hostings like those it is given, made of parts that equal ones share. For as long as one reading lasts. */
export function createSharing(): (hosting: PlacedHosting) => PlacedHosting {
  const words = new Map<string, string>()
  const parts = new Map<string, unknown>()
  const word = (text: string) => known(words, text, text)
  const part = <T>(value: T): T => known(parts, JSON.stringify(value), value) as T
  const seat = ({ datacenterId, witness }: Seat): Seat => ({
    datacenterId: word(datacenterId),
    witness: witness.map(({ component, node, replicas }) => ({
      component: word(component),
      node: word(node),
      replicas,
    })),
  })
  const demand = (asked: HostingDemand): HostingDemand => ({
    ...asked,
    partyId: word(asked.partyId),
    components: part(asked.components),
    volumes: asked.volumes.length === 0 ? noVolumes : part(asked.volumes),
    constraints: part(asked.constraints),
    fallback: part(asked.fallback),
  })
  return ({ demand: asked, primary, standby }) => ({
    demand: demand(asked),
    ...(primary && { primary: seat(primary) }),
    ...(standby && {
      standby: { ...seat(standby), ...(standby.domains && { domains: part(standby.domains) }) },
    }),
  })
}

/** Where each is different, remembering them all would cost more than it saves. */
const mostKept = 100_000

const noVolumes: HostingDemand['volumes'] = []

function known<T>(values: Map<string, T>, key: string, value: T): T {
  const before = values.get(key)
  if (before !== undefined) return before
  if (values.size < mostKept) values.set(key, value)
  return value
}
