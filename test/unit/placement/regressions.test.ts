/** Worlds in which a promise was once broken, as small as they could be made: they are played again and again. */
import t from 'tap'
import type {
  Amounts,
  ComponentDemand,
  DatacenterState,
  FallbackDemand,
  HostingDemand,
} from '../../../services/placement/index.ts'
import { checkPlaced, checkRoomKept, checkTold } from './exact/hold.ts'
import type { Event } from './exact/worlds.ts'
import { datacenter, gib, hosting, node, offer } from './worlds.ts'

interface Story {
  readonly name: string
  readonly sites: readonly DatacenterState[]
  readonly events: readonly Event[]
}

const pods = (quality: 'guaranteed' | 'opportunistic', count: number) =>
  offer({ id: `off_${quality}_${count}`, quality, amounts: { cpu: 0, memory: 4 * gib, pods: count } })
const site = (id: string, ...offers: readonly ReturnType<typeof offer>[]) =>
  datacenter(id, { nodes: [node('n0', { cpu: 0, memory: 0, pods: 9 })], offers })
const empty = (id: string, fallback: FallbackDemand, ...datacentersNot: readonly string[]): HostingDemand =>
  hosting(id, {
    components: [{ name: 'c0', replicas: 1, onePerNode: false, requests: {} }],
    constraints: { datacentersNot },
    fallback,
  })
const place = (demand: HostingDemand): Event => ({ place: demand })

/** In nobody's way but on nodes. */
const onNodes = (...nodes: readonly ReturnType<typeof node>[]) => onNodesOf('dc_00', ...nodes)
const onNodesOf = (id: string, ...nodes: readonly ReturnType<typeof node>[]) =>
  datacenter(id, { nodes, offers: [offer({ amounts: { cpu: 1e6, memory: 1e4 * gib, pods: 1e4 } })] })
const zoned = (name: string, zone: string) => ({ ...node(name, { cpu: 1000 }), zone })
const asks = (
  id: string,
  replicas: number,
  requests: Amounts,
  apart: Partial<ComponentDemand> = {},
  more: Partial<HostingDemand> = {},
) => place(hosting(id, { ...more, components: [{ name: 'c0', replicas, requests, onePerNode: false, ...apart }] }))
const twoNodes = (id: string) => onNodesOf(id, ...['a', 'b'].map((name) => node(name, { cpu: 1000 })))
const firstNodeGone: Event = { change: { site: 0, nth: 0, kind: 'gone' } }

const stories: readonly Story[] = [
  {
    name: 'a hot standby was placed on an opportunistic offer',
    sites: [site('dc_00', pods('guaranteed', 9)), site('dc_01', pods('opportunistic', 4))],
    events: [place(empty('hst_00', { mode: 'hot' }))],
  },
  {
    name: 'so was what runs of a warm standby, beside a reserve for another domain that took all that is firm',
    sites: [
      site('dc_00', pods('guaranteed', 9)),
      site('dc_01', pods('opportunistic', 4), pods('guaranteed', 1)),
      site('dc_02', pods('guaranteed', 9)),
    ],
    events: [place(empty('hst_00', { mode: 'cold' }, 'dc_02')), place(empty('hst_01', { mode: 'warm' }, 'dc_00'))],
  },
  {
    name: 'an offer that became opportunistic under a hot standby was not told',
    sites: [site('dc_00', pods('guaranteed', 9)), site('dc_01', pods('guaranteed', 2))],
    events: [place(empty('hst_00', { mode: 'hot' })), { change: { site: 1, nth: 0, kind: 'weaker' } }],
  },
  {
    name: 'a replica without a node was to go where its like runs already, and the only other node was given away',
    sites: [onNodes(...['a', 'b', 'c'].map((name) => node(name, { cpu: 1000 })))],
    events: [asks('hst_00', 2, { cpu: 500 }, { onePerNode: true }), firstNodeGone, asks('hst_01', 1, { cpu: 1000 })],
  },
  {
    name: 'two replicas without a node were both to go to the one node that was left',
    sites: [onNodes(...['a', 'b', 'c', 'd'].map((name) => node(name, { cpu: 1000 })))],
    events: [
      asks('hst_00', 2, { cpu: 500 }, { onePerNode: true }),
      firstNodeGone,
      firstNodeGone,
      asks('hst_01', 1, { cpu: 1000 }),
    ],
  },
  {
    name: 'so was the only node of another zone',
    sites: [onNodes(zoned('a', 'z0'), zoned('b', 'z1'), zoned('c', 'z1'), zoned('d', 'z2'))],
    events: [asks('hst_00', 2, { cpu: 500 }, { onePerZone: true }), firstNodeGone, asks('hst_01', 2, { cpu: 1000 })],
  },
  {
    name: 'a replica without a node was to go where it has no memory, because who came after asked for none',
    sites: [
      onNodes(
        node('a', { memory: 9 * gib, pods: 2 }),
        node('b', { memory: gib, pods: 2 }),
        node('c', { memory: 9 * gib, pods: 2 }),
      ),
    ],
    events: [
      asks('hst_00', 1, { memory: 8 * gib }),
      firstNodeGone,
      asks('hst_01', 2, { cpu: 4 }),
      asks('hst_02', 1, {}),
    ],
  },
  {
    name: 'a node became too small for who would come down on it, and the only other was given away',
    sites: ['dc_00', 'dc_01'].map(twoNodes),
    events: [
      asks('hst_00', 1, { cpu: 1000 }, {}, { fallback: { mode: 'cold' } }),
      { change: { site: 1, nth: 0, kind: 'shrunk' } },
      asks('hst_01', 1, { cpu: 1000 }, {}, { constraints: { datacentersNot: ['dc_00'] } }),
    ],
  },
]

for (const { name, sites, events } of stories) {
  t.test(`no more: ${name}`, async (t) => {
    t.doesNotThrow(() => checkPlaced(sites, events))
    t.doesNotThrow(() => checkTold(sites, events))
    t.doesNotThrow(() => checkRoomKept(sites, events))
  })
}
