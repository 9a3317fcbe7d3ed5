/** An answer that stays open: in order, no faster than it is read, and not kept for who does not read. */
import { EventEmitter } from 'node:events'
import t from 'tap'
import type { Exchange } from '../../../services/gateway/exchange.ts'
import { createStream } from '../../../services/gateway/stream.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { seededRandom } from '../../../services/shared/random.ts'
import { until } from '../../support/until.ts'

/** A client that reads what it is told to. */
function client() {
  const lines: string[] = []
  const state = { reads: true, destroyed: false }
  const response = Object.assign(new EventEmitter(), {
    writableEnded: false,
    writeHead: () => undefined,
    flushHeaders: () => undefined,
    write: (line: string) => {
      lines.push(line.trim())
      return state.reads
    },
    end: () => undefined,
    destroy: () => {
      state.destroyed = true
    },
  })
  const { signal } = new AbortController()
  const exchange = { response, signal } as unknown as Exchange
  const kit = { clock: systemClock, random: seededRandom(1) }
  return { lines, state, response, stream: createStream(kit, exchange, new URLSearchParams(), {}) }
}

t.test('what is told comes in order, each when what was before is taken', async (t) => {
  const { lines, state, response, stream } = client()
  state.reads = false
  stream.tell([{ n: 1 }, { n: 2 }])
  stream.tell([])
  stream.tell([{ n: 3 }])
  await until(() => lines.length === 1, 'the first')
  for (let taken = 2; taken <= 3; taken++) {
    response.emit('drain')
    await until(() => lines.length === taken, `${taken}`)
  }
  t.same(lines, ['{"n":1}', '{"n":2}', '{"n":3}'])
  response.emit('drain')
  await stream.told()
  stream.end()
})

t.test('a hundred may wait, and who lets more wait is cut off', async (t) => {
  const { lines, state, stream } = client()
  state.reads = false
  for (let n = 0; n < 100; n++) stream.tell([{ n }])
  t.equal(stream.signal.aborted, false)
  stream.tell([{ n: 100 }])
  t.ok(stream.signal.aborted)
  t.ok(state.destroyed)
  await stream.told()
  stream.tell([{ n: 101 }])
  await stream.told()
  t.ok(lines.length <= 1, 'nothing more is written')
})
