/** What to send to the API for a quote or a request: from a file or from manifests, overruled by options. */
import type { HostingInput, Quote } from '../../schemas/index.ts'
import { rfc3339 } from '../shared/clock.ts'
import { isQuantity } from '../shared/quantity.ts'
import type { Api } from './api.ts'
import { usage } from './errors.ts'
import { limitBytes, parseDocuments, readObject, readText } from './files.ts'
import { emptyRegions, findSystem } from './find.ts'
import { demandFrom } from './manifests/index.ts'
import type { DemandOptions } from './request-options.ts'
import type { Session } from './session.ts'
import { printable } from './text.ts'

/** As in a file: `systemSlug` may stand for `systemId`. The API checks the rest and names what is wrong. */
export type Draft = Record<string, unknown> & Partial<Pick<HostingInput, 'components' | 'volumes'>>

/** Throws a usage error that names everything that is missing or cannot be counted. */
export async function draftFrom(session: Session, options: DemandOptions & { quote?: string }): Promise<Draft> {
  const base = await baseOf(session, options)
  const fallback = {
    ...(base['fallback'] as object | undefined),
    ...(options.fallback && { mode: options.fallback }),
    ...(options.warmReplicas !== undefined && { warmReplicas: options.warmReplicas }),
    ...(options.minDistance !== undefined && { minDistanceKm: options.minDistance }),
    ...(options.differ && { differ: options.differ }),
  }
  const constraints = { ...(base['constraints'] as object | undefined), ...constraintsFrom(options) }
  const { systemSlug: _, systemId: __, ...others } = base
  return {
    ...(options.system === undefined ? base : { ...others, systemSlug: options.system }),
    ...(Object.keys(constraints).length > 0 && { constraints }),
    ...(Object.keys(fallback).length > 0 && { fallback }),
    ...(periodFrom(session, base['period'], options) ?? {}),
  }
}

async function baseOf(session: Session, options: DemandOptions & { quote?: string }): Promise<Draft> {
  const { file, fromManifests, quote } = options
  const sources = [file, fromManifests, quote].filter((source) => source !== undefined)
  if (sources.length !== 1) throw usage('say what to host: either --file or --from-manifests, or the --quote for it')
  if (quote !== undefined) {
    const { id: quoteId, request } = await session.api().get<Quote>(`/quotes/${encodeURIComponent(quote)}`)
    const { holdMinutes: _, ...asked } = request
    return { ...asked, quoteId }
  }
  return file === undefined ? fromCluster(session, options) : readObject(session.io, file)
}

async function fromCluster(session: Session, options: DemandOptions & { name?: string }): Promise<Draft> {
  const { fromManifests = '-', defaultCpu, defaultMemory } = options
  const missing = [
    ...(options.system === undefined ? ['--system SLUG'] : []),
    ...(options.fallback === undefined ? ['--fallback cold (or none)'] : []),
  ]
  if (missing.length > 0) throw usage(`with --from-manifests also give ${missing.join(' and ')}`)
  for (const [flag, text] of [
    ['cpu', defaultCpu],
    ['memory', defaultMemory],
  ]) {
    if (text !== undefined && !isQuantity(text))
      throw usage(`--default-${flag} ${text} is no quantity such as 100m or 128Mi`)
  }
  const documents = await parseDocuments(await readText(session.io, fromManifests, limitBytes.manifests), fromManifests)
  const result = demandFrom(documents, {
    defaultRequests: { cpu: defaultCpu, memory: defaultMemory },
    defaultStorageClass: options.defaultStorageClass,
    storageClasses: Object.fromEntries(options.storageClass ?? []),
    jobs: options.jobs,
  })
  if (!result.ok)
    throw usage(
      'these manifests cannot be counted:',
      result.errors.map((error) => `  ${error}`),
    )
  for (const note of result.notes) session.remark(`note: ${printable(note)}`)
  return { components: [...result.components], ...(result.volumes.length > 0 && { volumes: [...result.volumes] }) }
}

function constraintsFrom(options: DemandOptions): NonNullable<HostingInput['constraints']> {
  return {
    ...(options.region && { regions: options.region }),
    ...(options.notRegion && { regionsNot: options.notRegion }),
    ...(options.evidence && { evidence: options.evidence }),
    ...(options.capability && { capabilities: options.capability }),
    ...(options.maxPrice !== undefined && { maxPriceCentsPerMonth: options.maxPrice }),
    ...(options.together && { together: options.together }),
    ...(options.apart && { apart: options.apart }),
    ...(options.apartFromSystem && { apartSystems: options.apartFromSystem }),
    ...(options.weight && { weights: Object.fromEntries(options.weight) }),
  }
}

function periodFrom({ io }: Session, given: unknown, { from, until }: DemandOptions): { period: object } | undefined {
  if (from === undefined && until === undefined) return undefined
  const now = rfc3339(io.clock.now())
  return {
    period: {
      start: now,
      end: null,
      ...(given as object | undefined),
      ...(from && { start: from }),
      ...(until && { end: until }),
    },
  }
}

/** What to send: the draft with the id of the system that its slug names. Says so when a region is one of nobody. */
export async function resolved(session: Session, draft: Draft): Promise<Draft> {
  const { regions, regionsNot } = (draft['constraints'] ?? {}) as NonNullable<HostingInput['constraints']>
  const named = [regions, regionsNot].flatMap((list) => (Array.isArray(list) ? list : [])).map(String)
  const remark = named.length > 0 ? await emptyRegions(session.api(), named) : undefined
  if (remark) session.remark(remark)
  return withSystemId(session.api(), draft)
}

async function withSystemId(api: Api, draft: Draft): Promise<Draft> {
  const { systemSlug, ...others } = draft
  if (systemSlug === undefined) return draft
  if (typeof systemSlug !== 'string') throw usage('systemSlug must be text')
  if (draft['systemId'] !== undefined) throw usage('give systemSlug or systemId, not both')
  return { ...others, systemId: (await findSystem(api, systemSlug)).id }
}
