/** The steps of a move, from what stands alone: killed anywhere it comes to its end, and a place is made before one is left. */
import t from 'tap'
import { nextOf, type Place, type Stands, type Target } from '../../../services/broker/scheduling/moves/core/next.ts'

const sites = ['a', 'b', 'c', 'd']
const place = (datacenterId: string, full = false, ready = true): Place => ({
  placementId: `plc ${datacenterId}`,
  datacenterId,
  ready,
  full,
})

/** What a step makes of what stands; the clusters and the desk do their part at once. */
function after(stands: Stands, target: Target): Stands {
  const next = nextOf(stands, target)
  const { primary, standby, coming, leaving } = stands
  switch (next.do) {
    case 'claim':
      return { ...stands, coming: place(next.at, next.full) }
    case 'fill':
      return { ...stands, standby: standby && { ...standby, full: true } }
    case 'relax':
      return { ...stands, standby: standby && { ...standby, full: false } }
    case 'drop':
      return { ...stands, coming: null }
    case 'swap':
      return {
        ...stands,
        coming: null,
        standby: coming,
        leaving: standby ? [...leaving, standby.datacenterId] : leaving,
      }
    case 'hand-over':
      // Where it ran stands by from then on, unless it needs no standby.
      return {
        ...stands,
        primary: standby,
        standby: target.standby === null ? null : primary && { ...primary, full: false },
      }
    default:
      return { ...stands, leaving: [] }
  }
}

const worlds = sites.flatMap((primary) =>
  [null, ...sites].flatMap((standby) =>
    [null, ...sites].flatMap((coming) =>
      [false, true].map((full): Stands => {
        const at = (id: string | null) => (id === null ? null : place(id, full))
        return { primary: place(primary, true), standby: at(standby), coming: at(coming), leaving: [] }
      }),
    ),
  ),
)
const isPossible = ({ primary, standby, coming }: Stands) => {
  const at = [primary, standby, coming].flatMap((each) => each?.datacenterId ?? [])
  return new Set(at).size === at.length
}
const targets = sites.flatMap((primary) =>
  [null, ...sites].filter((standby) => standby !== primary).map((standby): Target => ({ primary, standby })),
)

t.test('from whatever stands, every move comes to its end', async (t) => {
  let checked = 0
  for (const from of worlds.filter(isPossible))
    for (const target of targets) {
      if (target.standby === null && from.standby && from.primary?.datacenterId === target.primary) continue
      let stands = from
      const seen: string[] = []
      while (nextOf(stands, target).do !== 'done' && seen.length < 20) {
        const next = nextOf(stands, target)
        seen.push(next.do)
        const later = after(stands, target)
        if (!isPossible(later)) t.fail(`two places at one site: ${JSON.stringify({ from, target, seen })}`)
        if (stands.standby && !later.standby && next.do !== 'hand-over') t.fail('it stands without a standby')
        if (next.do === 'hand-over' && !stands.standby?.full) t.fail('it is handed over without room in full')
        stands = later
      }
      if (seen.length >= 20) t.fail(`no end: ${JSON.stringify({ from, target, seen })}`)
      if (
        stands.primary?.datacenterId !== target.primary ||
        (target.standby && stands.standby?.datacenterId !== target.standby)
      )
        t.fail(`elsewhere: ${JSON.stringify({ from, target, stands })}`)
      checked++
    }
  t.ok(checked > 500, `${checked} moves`)
})

t.test('nothing is left, and nobody takes over, before the new place stands', async (t) => {
  const primary = place('a', true)
  const standby = place('b')
  const coming = { ...place('c', true), ready: false }
  t.same(nextOf({ primary, standby, coming, leaving: [] }, { primary: 'c', standby: 'b' }), { do: 'wait' })
  const filled = { ...place('b', true), ready: false }
  t.same(nextOf({ primary, standby: filled, coming: null, leaving: [] }, { primary: 'b', standby: 'a' }), {
    do: 'wait',
  })
  t.same(nextOf({ primary, standby, coming: null, leaving: ['c'] }, { primary: 'c', standby: 'b' }), { do: 'wait' })
  t.same(nextOf({ primary: null, standby, coming: null, leaving: [] }, { primary: 'c', standby: 'b' }), { do: 'wait' })
})
