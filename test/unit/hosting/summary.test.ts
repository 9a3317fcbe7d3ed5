/** The summary of a hosting: every combination of the three truths, so that none is left to chance. */
import t from 'tap'
import { fallbackStatusOf, stateOf, type Truth } from '../../../services/broker/hosting/core/summary.ts'

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
