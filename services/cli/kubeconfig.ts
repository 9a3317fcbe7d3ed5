/** Which context of a kubeconfig is sent: one, with its cluster and user, and never the credentials of others. */
import { usage } from './errors.ts'
import { limitBytes, nameOf, parseDocuments, readText } from './files.ts'
import type { Io } from './io.ts'
import { line } from './text.ts'

export interface Chosen {
  /** What to send. */
  readonly kubeconfig: string
  /** What to say to a person about the choice; undefined where there was none. */
  readonly remark: string | undefined
}

interface Entry {
  readonly name: string
  readonly context?: { readonly cluster?: unknown; readonly user?: unknown }
  readonly cluster?: { readonly server?: unknown }
}

/**
 * Of a kubeconfig with one context, all of it: the API says what is wrong. Of one with more, the context asked for, or else
 * the current one. Throws a usage error when there is no such context.
 */
export async function chooseContext(io: Io, file: string, wanted?: string): Promise<Chosen> {
  const text = await readText(io, file, limitBytes.kubeconfig)
  const [config = {}] = (await parseDocuments(text, file)) as Record<string, unknown>[]
  const contexts = entries(config['contexts'])
  const name = wanted ?? config['current-context']
  if (wanted === undefined && contexts.length < 2) return { kubeconfig: text, remark: undefined }
  const context = contexts.find((entry) => entry.name === name)
  const names = contexts.map((entry) => entry.name).join(', ') || 'none'
  if (!context) {
    const what = name === undefined ? 'names no current context' : `has no context ${String(name)}`
    throw usage(line`${nameOf(file)} ${what}; it has ${names}`, ['Choose one with --context.'])
  }
  const only = (list: unknown, part: unknown) => entries(list).filter((entry) => entry.name === part)
  const clusters = only(config['clusters'], context.context?.cluster)
  const users = only(config['users'], context.context?.user)
  const server = String(clusters[0]?.cluster?.server ?? 'no server')
  const reduced = { ...config, contexts: [context], clusters, users, 'current-context': context.name }
  const why = wanted === undefined ? ', as its current-context says; --context chooses another' : ''
  return {
    kubeconfig: JSON.stringify(reduced),
    remark: line`Of the contexts in ${nameOf(file)} (${names}), ${context.name} is used: ${server}${why}.`,
  }
}

const entries = (list: unknown): Entry[] =>
  (Array.isArray(list) ? list : []).filter((entry) => typeof entry?.name === 'string')
