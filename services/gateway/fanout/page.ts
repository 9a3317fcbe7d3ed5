/** One page of one cell: asked, read, and what its failure means for the whole. */
import { KubernetesError, Unreachable } from '../../shared/kubernetes/index.ts'
import { type Status, statusOf } from '../status.ts'
import { bodyOf, type Upstream } from '../upstream.ts'
import type { Cell } from './cells.ts'
import { requireOwn } from './own.ts'

export interface Page {
  readonly document: Record<string, unknown>
  /** Items of a list, rows of a Table. */
  readonly items: readonly Record<string, unknown>[]
  readonly version: bigint
  readonly next: string
}

export type Fetched = { readonly ok: true; readonly page: Page } | { readonly ok: false; readonly failure: Failure }

/** `status`: the API server refused. `words`: nobody answered. */
export type Failure = { readonly status: Status } | { readonly words: string }

export async function fetchPage(
  upstream: Upstream,
  cell: Cell,
  query: URLSearchParams,
  { accept, limitBytes, signal }: { accept: string; limitBytes: number; signal: AbortSignal },
): Promise<Fetched> {
  try {
    const sent = { method: 'GET', path: cell.path, query, headers: { accept }, as: cell.as, signal }
    const answer = await upstream.send(cell.member, sent)
    const code = answer.statusCode ?? 0
    const text = (await bodyOf(answer, limitBytes)).toString('utf8')
    if (code === 200) {
      const page = pageOf(JSON.parse(text))
      requireOwn(cell, page.items)
      return { ok: true, page }
    }
    // An agent whose cluster is away says so in the place of its API server.
    if (isAway(code)) return { ok: false, failure: { words: `it answered ${code}` } }
    return { ok: false, failure: { status: readStatus(code, text) } }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof Unreachable || error instanceof KubernetesError || error instanceof SyntaxError)
      return { ok: false, failure: { words: error.message } }
    throw error
  }
}

export const isAway = (code: number) => code === 502 || code === 503 || code === 504

function pageOf(document: Record<string, unknown>): Page {
  const { resourceVersion, continue: next } = (document['metadata'] ?? {}) as Record<string, unknown>
  const items = document['kind'] === 'Table' ? document['rows'] : document['items']
  if (typeof resourceVersion !== 'string' || !/^[0-9]{1,20}$/.test(resourceVersion))
    throw new Unreachable('the answer is no list of Kubernetes')
  return {
    document,
    items: (Array.isArray(items) ? items : []) as Record<string, unknown>[],
    version: BigInt(resourceVersion),
    next: typeof next === 'string' ? next : '',
  }
}

/** What an API server says when it refuses; anything else that stands there is not passed on. */
export function readStatus(code: number, text: string): Status {
  try {
    const body = JSON.parse(text) as Partial<Status>
    if (body.kind === 'Status' && typeof body.message === 'string') return { ...(body as Status), code }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return statusOf(code >= 400 ? code : 502, `the datacenter answered ${code}`)
}
