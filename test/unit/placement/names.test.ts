/** What a resource is called never decides: the same worlds under other names have the same answers. */
import fc from 'fast-check'
import t from 'tap'
import {
  type Amounts,
  createWorld,
  type DatacenterState,
  type HostingDemand,
  overcommit,
  schedule,
} from '../../../services/placement/index.ts'
import { datacenter, gib, hosting, node, now, offer, placedBy } from './worlds.ts'

const special = fc.option(fc.nat(6), { nil: undefined })
const anyCase = fc.record({ free: special, offered: special, tariff: special, asked: special, replicas: fc.nat(3) })
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never

const called = (name: string, amount: number | undefined): Amounts =>
  amount === undefined ? {} : Object.fromEntries([[name, amount]])

function worldOf(name: string, { free, offered, tariff, asked, replicas }: Case): [DatacenterState[], HostingDemand] {
  const room = { cpu: 8000, memory: 32 * gib, pods: 40 }
  const site = datacenter('x', {
    nodes: [node('a', called(name, free)), node('b')],
    offers: [offer({ amounts: { ...room, ...called(name, offered) }, tariff: called(name, tariff) })],
  })
  const requests = { cpu: 1000, memory: gib, ...called(name, asked) }
  return [[site], hosting('h', { components: [{ name: 'web', replicas, requests, onePerNode: false }] })]
}

function answerOf(name: string, each: Case): string {
  const [datacenters, demand] = worldOf(name, each)
  const decision = schedule(createWorld({ datacenters, hostings: [] }, now), demand, now)
  // A booking that no decision made: the check from scratch counts under the same names.
  const witness = [{ component: 'web', node: 'a', replicas: each.replicas }]
  const forced = [{ demand, primary: { datacenterId: 'x', witness } }]
  const found = overcommit(createWorld({ datacenters, hostings: forced }, now), now)
  const taken = decision.outcome === 'placed' ? placedBy(demand, decision) : undefined
  return JSON.stringify([decision, found, taken]).replaceAll(name, 'NAME')
}

t.test('every answer, refusal, price and violation is as with a plain name', async (t) => {
  const outcomes = new Set<boolean>()
  fc.assert(
    fc.property(anyCase, fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'valueOf'), (each, name) => {
      const plain = answerOf('plain-name', each)
      outcomes.add(plain.includes('"outcome":"placed"'))
      const named = answerOf(name, each)
      if (named !== plain) throw new Error(`${named} is not ${plain}`)
    }),
    { numRuns: 500 },
  )
  t.equal(outcomes.size, 2, 'some are placed, some are not')
})
