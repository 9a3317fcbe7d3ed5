/** A list as the first events of a watch, for clients that want both in one. Pure. */
import type { Spread } from './cells.ts'
import { writeCursor } from './cursor.ts'
import type { Listed } from './list.ts'
import { withVersion } from './watch.ts'

type Json = Record<string, unknown>

/** `told`: the client is told where what there was ends and what happens begins. */
export function* initialEvents(listed: Listed, spread: Spread, type: object, told: boolean): Generator<object> {
  const { document, versions } = listed
  const at = (own: bigint) => writeCursor(spread.place, { versions, own })
  const isTable = document['kind'] === 'Table'
  let first = true
  for (const item of (isTable ? document['rows'] : document['items']) as Json[]) {
    const holder = (isTable ? item['object'] : item) as Json | undefined
    const own = (holder?.['metadata'] as Json | undefined)?.['resourceVersion']
    const version = at(typeof own === 'string' && /^[0-9]{1,20}$/.test(own) ? BigInt(own) : 0n)
    const columnDefinitions = first ? document['columnDefinitions'] : []
    first = false
    const object = isTable ? { ...tableOf(document), columnDefinitions, rows: [item] } : { ...type, ...item }
    yield { type: 'ADDED', object: withVersion(object, version) }
  }
  if (!told) return
  const metadata = { resourceVersion: at(0n), annotations: { 'k8s.io/initial-events-end': 'true' } }
  const object = isTable ? { ...tableOf(document), columnDefinitions: [], rows: [], metadata } : { ...type, metadata }
  yield { type: 'BOOKMARK', object }
}

const tableOf = ({ kind, apiVersion }: Json) => ({ kind, apiVersion, metadata: {} })
