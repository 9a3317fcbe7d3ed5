/** The summary of a hosting: every combination of the three truths, so that none is left to chance. */
import t from 'tap'
import { fallbackOf, fallbackStatusOf, stateOf, type Truth } from '../../../services/shared/hosting-state.ts'

type Site = Truth['placements'][number]
const site = (role: Site['role'], observed: Site['observed'] = 'ready', reachable = true): Site => ({
  role,
  observed,
  reachable,
})
const placed: Truth = {
  wanted: 'running',
  scheduling: 'placed',
  fallbackMode: 'cold',
  broken: false,
  placements: [site('primary'), site('standby')],
}

t.test('the state is what people want, then what was decided, then what is seen', async (t) => {
  for (const scheduling of ['pending', 'placed', 'unschedulable'] as const) {
    t.equal(stateOf({ ...placed, wanted: 'ending', scheduling }), 'ending')
    t.equal(stateOf({ ...placed, wanted: 'ended', scheduling }), 'ended')
  }
  t.equal(stateOf({ ...placed, scheduling: 'pending' }), 'pending')
  t.equal(stateOf({ ...placed, scheduling: 'unschedulable' }), 'unschedulable')
  for (const [observed, reachable, state] of [
    ['ready', true, 'running'],
    ['ready', false, 'degraded'],
    ['absent', true, 'provisioning'],
    ['provisioning', true, 'provisioning'],
    ['provisioning', false, 'provisioning'],
    ['conflict', true, 'degraded'],
    ['unknown', false, 'degraded'],
  ] as const) {
    const placements = [site('standby', 'conflict', false), site('primary', observed, reachable)]
    t.equal(stateOf({ ...placed, placements }), state, `${observed}, ${reachable ? 'reachable' : 'unreachable'}`)
  }
  t.equal(stateOf({ ...placed, placements: [] }), 'provisioning', 'decided, and its rows not seen yet')
})

t.test('the fallback is ready only when its standby stands there and answers', async (t) => {
  const status = (changed: Partial<Truth>) => fallbackStatusOf({ ...placed, ...changed })
  t.equal(status({}), 'ready')
  t.equal(status({ broken: true }), 'unprotected', 'what was promised is not kept')
  t.equal(status({ fallbackMode: 'none' }), 'none')
  t.equal(status({ wanted: 'ended' }), 'none')
  t.equal(status({ wanted: 'ending' }), 'ready', 'it stands until it is gone')
  t.equal(status({ scheduling: 'pending' }), 'unprotected')
  t.equal(status({ placements: [site('primary')] }), 'unprotected', 'no standby')
  for (const [observed, reachable, expected] of [
    ['ready', true, 'ready'],
    ['ready', false, 'degraded'],
    ['absent', true, 'degraded'],
    ['provisioning', true, 'degraded'],
    ['unknown', false, 'degraded'],
    ['conflict', true, 'unprotected'],
  ] as const)
    t.equal(
      status({ placements: [site('primary', 'unknown', false), site('standby', observed, reachable)] }),
      expected,
      observed,
    )
})

t.test(
  'on its way, and after a failover until it is brought back, that is what it is; the reasons are those of now',
  async (t) => {
    const after = (kind: string, isOver: boolean, placements = placed.placements) =>
      fallbackOf({ ...placed, placements, operation: { kind, isOver } })
    t.same(after('failover', false), { status: 'failing-over', reasons: [] })
    t.same(after('move', false).status, 'failing-over')
    t.same(after('failback', false).status, 'failing-back')
    t.same(after('failover', true), { status: 'failed-over', reasons: [] }, 'protected anew')
    t.same(after('failover', true, [site('primary'), site('former')]), {
      status: 'failed-over',
      reasons: ['no-standby'],
    })
    for (const kind of ['failback', 'move', 'drain']) t.same(after(kind, true).status, 'ready', kind)
    const troubled = [
      site('primary'),
      { ...site('standby'), troubles: ['mirror-in-trouble', 'mirror-behind'] as const },
    ]
    t.same(fallbackOf({ ...placed, placements: troubled }), {
      status: 'degraded',
      reasons: ['mirror-in-trouble', 'mirror-behind'],
    })
    const unseen = [site('primary', 'unknown', false), ...troubled.slice(1)]
    t.same(
      fallbackOf({ ...placed, placements: unseen }).reasons,
      ['mirror-behind'],
      'nothing can be copied of what is not seen',
    )
    t.same(fallbackOf({ ...placed, broken: true, placements: [site('standby', 'ready', false)] }).reasons, [
      'promise-broken',
      'standby-does-not-answer',
    ])
  },
)
