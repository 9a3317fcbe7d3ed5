/** An answer that stays open: events out, no faster than they are taken, until its time is over. */

import { once } from 'node:events'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'
import type { Exchange } from './exchange.ts'

export interface Stream {
  /** Begun at once; resolves when there is room for more. */
  write(event: object): Promise<void>
  /** For who cannot wait: these come when what was told before is out. A client that lets too much wait is cut off. */
  tell(events: readonly object[]): void
  /** Resolves when all that was told is out, or never will be. */
  told(): Promise<void>
  /** The last event; nothing comes after it. */
  finish(event: object): void
  end(): void
  /** Aborts with the client, the time, or the end. */
  readonly signal: AbortSignal
}

/** Between these two, as an API server does it, so that clients do not all return together. */
const shortestMs = 30 * 60_000
const longestMs = 60 * 60_000
/** About as many seconds behind, for what is looked at once a second. */
const mostWaiting = 100

export function createStream(
  { clock, random }: { clock: Clock; random: Random },
  { response, signal }: Exchange,
  query: URLSearchParams,
  headers: OutgoingHttpHeaders,
): Stream {
  const over = new AbortController()
  const asked = Number(/^[1-9][0-9]{0,8}$/.exec(query.get('timeoutSeconds') ?? '')?.[0] ?? 0) * 1000
  const ms = Math.min(asked || shortestMs + random.next() * (longestMs - shortestMs), longestMs)
  const within = AbortSignal.any([signal, over.signal])
  clock.sleep(ms, within).then(
    () => over.abort('over'),
    () => undefined,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private', ...headers })
  response.flushHeaders()
  const put = (event: object) => response.write(`${JSON.stringify(event)}\n`)
  const end = () => {
    over.abort('ended')
    if (!response.writableEnded) response.end()
  }
  const write: Stream['write'] = async (event) => {
    if (within.aborted || put(event)) return
    await once(response, 'drain', { signal: within }).catch(() => undefined)
  }
  let waiting = 0
  let told = Promise.resolve()
  return {
    signal: within,
    write,
    tell(events) {
      if (events.length === 0 || within.aborted) return
      if (waiting === mostWaiting) {
        // What it has not read would be kept for it, by each of its watches.
        over.abort('behind')
        response.destroy()
        return
      }
      waiting++
      told = told.then(async () => {
        for (const event of events) await write(event)
        waiting--
      })
    },
    told: () => told,
    finish(event) {
      if (!within.aborted) put(event)
      end()
    },
    end,
  }
}
