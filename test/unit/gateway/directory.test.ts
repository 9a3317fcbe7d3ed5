/** Who sees which namespaces: told when it changes, and given up when it cannot be read for long. */
import pino from 'pino'
import t from 'tap'
import { createDirectory, type View, viewOf } from '../../../services/gateway/directory.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import { until } from '../../support/until.ts'

/** A minute takes 600 ms. */
const hasty = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 100,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
}

const row = (name: string) => ({
  id: `hst_${name}`,
  name,
  system: 's',
  wanted: 'running',
  createdMs: 0,
  placementId: null,
})

t.test('a view that cannot be read for a minute is given up, and none before', async (t) => {
  const rows = [row('een')]
  let isAway = false
  let readAt = 0
  const query = async () => {
    if (isAway) throw new Error('away')
    readAt = hasty.monotonic()
    return rows
  }
  const log = pino({ level: 'silent' })
  const directory = createDirectory({ database: { query } as unknown as Database, clock: hasty, log })
  const views: View[] = []
  let lostAt: number | undefined
  const end = new AbortController()
  t.teardown(() => end.abort())
  await directory.of('pty_1')
  const listener = Object.assign((view: View) => void views.push(view), {
    lost: () => {
      lostAt ??= hasty.monotonic()
    },
  })
  directory.follow('pty_1', listener, end.signal)
  rows.push(row('twee'))
  await until(() => views.at(-1)?.spaces.size === 2, 'another namespace is told')
  t.equal(lostAt, undefined)
  isAway = true
  await until(() => lostAt !== undefined, 'it is given up')
  t.ok((lostAt ?? 0) - readAt > 60_000, 'a minute after it was last read')
})

t.test('what has lost its right where it stands is nowhere, and comes back to be active', (t) => {
  const placed = {
    ...row('een'),
    scheduling: 'placed',
    placementId: 'plc_1',
    datacenterId: 'dc_1',
    slug: 'breda',
  } as const
  const stateOf = (more: object) => {
    const { spaces, version } = viewOf([{ ...placed, wanted: 'running', observed: 'ready', ...more }])
    return { state: spaces.get('een')?.state, version }
  }
  const [active, nowhere] = [stateOf({ nowhere: false }), stateOf({ nowhere: true })]
  t.equal(active.state, 'active')
  t.equal(nowhere.state, 'nowhere')
  t.not(nowhere.version, active.version, 'who follows it is told')
  t.equal(stateOf({ nowhere: true, wanted: 'ending' }).state, 'ending')
  t.equal(stateOf({ nowhere: true, observed: 'absent' }).state, 'preparing')
  t.end()
})
