/** What a controller keeps of one kind: a list, then a watch from there, a new list after `410`; as client-go does it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Tenant } from './gateway-stage.ts'

export interface Reflector {
  /** By namespace and name. */
  readonly known: ReadonlyMap<string, any>
  /** What may not be: an object that is added twice, changed or gone without having been there, a version that goes back. */
  readonly faults: readonly string[]
  readonly lists: number
  stop(): Promise<void>
}

const restMs = 200

/** `path` may have a query. */
export function startReflector(tenant: Pick<Tenant, 'call' | 'watch'>, path: string): Reflector {
  const known = new Map<string, any>()
  const faults: string[] = []
  let lists = 0
  const stop = new AbortController()
  const ask = (query: string) => `${path}${path.includes('?') ? '&' : '?'}${query}`
  const keyOf = ({ metadata }: any) => `${metadata.namespace}/${metadata.name}`

  const take = ({ type, object }: any, version: string): string => {
    const next: string = object.metadata.resourceVersion
    if (BigInt(next) < BigInt(version)) faults.push(`${type}: ${next} after ${version}`)
    if (type === 'BOOKMARK') return next
    const key = keyOf(object)
    const before = known.get(key)
    const isSame = before?.metadata.uid === object.metadata.uid
    if (type === 'ADDED' && isSame) faults.push(`${key} was added twice`)
    if (type !== 'ADDED' && !isSame) faults.push(`${key} was ${type} and was not there`)
    if (type === 'DELETED') known.delete(key)
    else known.set(key, object)
    return next
  }
  const list = async (): Promise<string | undefined> => {
    const { status, body } = await tenant.call('GET', path)
    if (status !== 200) return undefined
    lists += 1
    const listed = new Map<string, any>(body.items.map((item: any) => [keyOf(item), item]))
    if (listed.size !== body.items.length) faults.push('a list had something twice')
    known.clear()
    for (const [key, item] of listed) known.set(key, item)
    return body.metadata.resourceVersion
  }
  /** The version to go on at; undefined when there is to be a new list. */
  const follow = async (from: string): Promise<string | undefined> => {
    const watching = tenant.watch(ask(`watch=true&allowWatchBookmarks=true&resourceVersion=${from}`))
    stop.signal.addEventListener('abort', watching.stop, { once: true })
    let [version, taken, isOver] = [from, 0, false]
    watching.ended.then(() => {
      isOver = true
    })
    for (;;) {
      const wasOver = isOver
      for (; taken < watching.events.length; taken++) {
        const event = watching.events[taken]
        if (event.type === 'ERROR') return undefined
        version = take(event, version)
      }
      if (wasOver) return version
      await Promise.race([watching.ended, sleep(20)])
    }
  }
  const run = async () => {
    let version: string | undefined
    while (!stop.signal.aborted) {
      if (version === undefined) version = await list().catch(() => undefined)
      else version = await follow(version)
      await sleep(restMs)
    }
  }
  const running = run()
  return {
    known,
    faults,
    get lists() {
      return lists
    },
    stop: async () => {
      stop.abort()
      await running
    },
  }
}
