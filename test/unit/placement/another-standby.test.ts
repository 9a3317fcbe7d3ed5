/** Another standby for who stays where it runs: one that would do, never one that is passed by, and none when none does. */
import fc from 'fast-check'
import t from 'tap'
import { anotherStandby, createWorld, fitStandby } from '../../../services/placement/index.ts'
import { anyEvents, anySites, play } from './exact/worlds.ts'
import { datacenter, gib, hosting, node, now, offer } from './worlds.ts'

const site = (id: string, latitude: number, cpu = 8000) =>
  datacenter(id, {
    latitude,
    nodes: [node('n0', { cpu })],
    offers: [offer({ amounts: { cpu, memory: 1e4 * gib, pods: 1e4 } })],
  })
const components = [{ name: 'web', replicas: 1, requests: { cpu: 4000 }, onePerNode: false }]

t.test('apart from the primary, with room, and none of those that are lost', async (t) => {
  const demand = hosting('hst_00', { components, fallback: { mode: 'cold', minDistanceKm: 100 } })
  const sites = [site('dc_00', 51), site('dc_01', 51.1), site('dc_02', 53, 1000), site('dc_03', 53), site('dc_04', 54)]
  const primary = { datacenterId: 'dc_00', witness: [{ component: 'web', node: 'n0', replicas: 1 }] }
  const world = createWorld({ datacenters: sites, hostings: [{ demand, primary }] }, now)
  const found = (...without: string[]) => anotherStandby(world, demand, 'dc_00', new Set(without), now)
  t.match(found(), { datacenterId: 'dc_03', witness: [{ component: 'web', node: 'n0', replicas: 1 }] })
  t.match(found('dc_03'), { datacenterId: 'dc_04' })
  t.equal(found('dc_03', 'dc_04'), undefined, 'one is too near, another too small')
})

t.test('it is found just when a datacenter by itself would do', async (t) => {
  let found = 0
  fc.assert(
    fc.property(anySites, anyEvents, (sites, events) => {
      const { world, federation } = play(sites, events, () => undefined)
      for (const { demand, primary } of federation.hostings) {
        if (!primary || demand.fallback.mode === 'none') continue
        const others = sites.map(({ id }) => id).filter((id) => id !== primary.datacenterId)
        const fits = others.filter(
          (id) => fitStandby(world, demand, primary.datacenterId, id, now).outcome === 'placed',
        )
        const seat = anotherStandby(world, demand, primary.datacenterId, new Set([primary.datacenterId]), now)
        if (seat ? !fits.includes(seat.datacenterId) : fits.length > 0)
          throw new Error(`${seat?.datacenterId} of ${fits.join()}`)
        found += Number(seat !== undefined)
      }
    }),
    { numRuns: 300 },
  )
  t.ok(found > 100, `${found} were found`)
})
