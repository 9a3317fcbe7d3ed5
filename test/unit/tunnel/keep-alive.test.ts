/** Pings on a session that is on its way out: they end nothing but themselves. */
import type { Http2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import { systemClock } from '../../../services/shared/clock.ts'
import { defaultTunnelLimits } from '../../../services/tunnel/model.ts'
import { keepAlive } from '../../../services/tunnel/session.ts'
import { until } from '../../support/until.ts'

t.test('a session that is destroyed at the moment of a ping', async (t) => {
  let pinged = 0
  const session = {
    closed: false,
    ping: () => {
      pinged++
      throw new Error('The session has been destroyed')
    },
  } as unknown as Http2Session
  const rejected: unknown[] = []
  const note = (reason: unknown) => rejected.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  let silent = 0
  const limits = { ...defaultTunnelLimits, pingMs: 1, pongMs: 1_000 }
  const stop = keepAlive({ session, socket: { bytesRead: 0 } as TLSSocket }, { clock: systemClock, limits }, () => {
    silent++
  })
  await until(() => silent === 1, 'it is taken for silent')
  t.equal(pinged, 1)
  stop()
  await new Promise((resolve) => setImmediate(resolve))
  t.same(rejected, [], 'and nothing is left that nobody hears')
})
