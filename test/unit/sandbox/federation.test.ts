/** The demonstration is what it says: own use of 20 to 30 %, valid inputs, and room for each of the twelve systems. */
import t from 'tap'
import { DatacenterInput, HostingInput, OfferInput, SystemInput } from '../../../schemas/index.ts'
import { demandOf } from '../../../services/broker/hosting/index.ts'
import { createWorld, schedule } from '../../../services/placement/index.ts'
import { demoDatacenters, demoSystems, storageClasses } from '../../../services/sandbox/federation/index.ts'
import { createAjv } from '../../../services/shared/http/validation.ts'
import { amountOf, cpuMillis, wholeUnits } from '../../../services/shared/quantity.ts'

const now = Date.parse('2026-11-24T00:00:00Z')
const federation = demoDatacenters(now)
const systems = demoSystems()

t.test('the owner uses 20 to 30 % of cpu and memory at every datacenter', async (t) => {
  t.ok(federation.length >= 40, `${federation.length} datacenters`)
  for (const { datacenter, nodes, ownPods } of federation) {
    const cpu =
      ownPods.reduce((sum, p) => sum + cpuMillis(p.cpu, 'up'), 0) /
      nodes.reduce((sum, n) => sum + cpuMillis(n.cpu, 'down'), 0)
    const memory =
      ownPods.reduce((sum, p) => sum + wholeUnits(p.memory, 'up'), 0) /
      nodes.reduce((sum, n) => sum + wholeUnits(n.memory, 'down'), 0)
    t.ok(
      cpu >= 0.2 && cpu <= 0.3 && memory >= 0.2 && memory <= 0.3,
      `${datacenter.slug}: cpu ${cpu.toFixed(3)}, memory ${memory.toFixed(3)}`,
    )
  }
})

t.test('every input is one that the contract takes, and names are unique', async (t) => {
  const ajv = createAjv()
  const valid = (schema: object, value: object, what: string) =>
    t.ok(ajv.validate(schema, value), `${what}: ${ajv.errorsText()}`)
  for (const { datacenter, offer } of federation) {
    valid(DatacenterInput, datacenter, datacenter.slug)
    valid(OfferInput, offer, `${datacenter.slug} offer`)
  }
  for (const { system, hostings } of systems) {
    valid(SystemInput, system, system.slug)
    for (const hosting of hostings) valid(HostingInput, { ...hosting, systemId: `sys_${'0'.repeat(26)}` }, hosting.name)
  }
  const unique = (names: string[]) => t.equal(new Set(names).size, names.length)
  unique(federation.map(({ datacenter }) => datacenter.slug))
  unique(federation.map(({ party }) => party.oin))
  unique(systems.flatMap(({ hostings }) => hostings.map(({ name }) => name)))
  t.equal(new Set(systems.map(({ system }) => system.slug)).size, 12, 'twelve systems')
})

t.test('each of the systems finds a place and a fallback', async (t) => {
  const world = createWorld({ datacenters: federation.map((demo, index) => stateOf(demo, index)), hostings: [] }, now)
  for (const { system, hostings } of systems) {
    for (const hosting of hostings) {
      const owner = {
        hostingId: hosting.name,
        partyId: 'pty',
        startMs: now,
        endMs: Number.POSITIVE_INFINITY,
        classes: system.classes,
      }
      const decision = schedule(world, demandOf(hosting, owner), now)
      t.equal(decision.outcome, 'placed', `${hosting.name} ${decision.outcome === 'placed' ? '' : decision.summary}`)
    }
  }
})

function stateOf({ datacenter, offer, nodes, ownPods }: (typeof federation)[number], index: number) {
  const { position, security, ...rest } = datacenter
  const free = (name: string, resource: 'cpu' | 'memory', total: string) =>
    amountOf(resource, total, 'down') -
    ownPods.filter((p) => p.nodeName === name).reduce((sum, p) => sum + amountOf(resource, p[resource], 'up'), 0)
  return {
    ...rest,
    ...position,
    id: `dc_${index}`,
    operatorId: `pty_${index}`,
    classes: security.classes,
    evidence: Object.fromEntries(security.evidence.map(({ kind, validUntil }) => [kind, Date.parse(validUntil)])),
    storageClasses,
    nodes: nodes.map(({ name, zone, cpu, memory, pods }) => ({
      name,
      zone,
      schedulable: true,
      free: { cpu: free(name, 'cpu', cpu), memory: free(name, 'memory', memory), pods: Number(pods) - 4 },
    })),
    offers: [
      {
        id: `off_${index}`,
        amounts: Object.fromEntries(
          Object.entries(offer.amounts).map(([resource, text]) => [resource, amountOf(resource, text, 'down')]),
        ),
        period: { start: Date.parse(offer.period.start), end: Number.POSITIVE_INFINITY },
        quality: offer.quality,
        tariff: offer.tariff,
      },
    ],
    observedAt: now,
  }
}
