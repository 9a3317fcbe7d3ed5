/** What is no object: discovery, schemas and the version, as the caller's datacenters share them. */

import { pipeline } from 'node:stream/promises'
import { Unreachable } from '../shared/kubernetes/index.ts'
import { wantsAggregated } from './accept.ts'
import { type Groups, sharedGroups } from './catalogue.ts'
import type { View } from './directory.ts'
import type { Discovered, Discovery } from './discovery.ts'
import { aggregatedDocument, coreVersions, groupList, groupNamed, resourceList } from './discovery-documents.ts'
import { answerJson, type Exchange, warningHeader } from './exchange.ts'
import { isAway } from './fanout/page.ts'
import { reached } from './forward.ts'
import { answerHeaders } from './headers.ts'
import { hostingDocument, hostingDocumentName, hostingDocumentUrl } from './hosting-requests/openapi.ts'
import type { Member, Members } from './members.ts'
import { standingOf } from './route.ts'
import { noSuchResource } from './status.ts'
import type { Document } from './target.ts'
import { bodyOf, type Upstream } from './upstream.ts'

export interface DocumentDependencies {
  readonly upstream: Upstream
  readonly members: Members
  readonly discovery: Discovery
}

interface Reference {
  readonly member: Member
  readonly version: Discovered['version']
}

interface Known {
  readonly groups: Groups
  /** The oldest release first: what it describes, the others have too. */
  readonly references: readonly Reference[]
  readonly silent: readonly string[]
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const indexBytes = 4 * 2 ** 20
/** The version of the API that is served while nobody says another. */
const noVersion = { major: '1', minor: '30', gitVersion: 'v1.30.0', platform: 'linux/amd64' }

export async function serveDocument(
  deps: DocumentDependencies,
  { parts, path, query }: Document,
  view: View,
  exchange: Exchange,
): Promise<void> {
  const { request, response } = exchange
  const [root, group, version] = parts
  const known = await knownTo(deps, view)
  const headers = warningHeader(known.silent.map((slug) => `datacenter ${slug} has not said what it serves`))
  const answer = (body: object | undefined, type?: string) => {
    if (body === undefined) throw noSuchResource()
    answerJson(response, 200, body, { ...headers, ...(type && { 'content-type': type }) })
  }
  const all = wantsAggregated(request.headers.accept)
  if (root === undefined) return answer({ paths: ['/api', '/apis', '/openapi/v2', '/openapi/v3', '/version'] })
  if (root === 'version' && parts.length === 1) return answer(known.references[0]?.version ?? noVersion)
  if (root === 'api' && parts.length === 1)
    return all ? answer(aggregatedDocument(known.groups, true), aggregatedType) : answer(coreVersions)
  if (root === 'api') return answer(resourceList(known.groups, '', group ?? ''))
  if (root === 'apis' && parts.length === 1)
    return all ? answer(aggregatedDocument(known.groups, false), aggregatedType) : answer(groupList(known.groups))
  if (root === 'apis' && version === undefined) return answer(groupNamed(known.groups, group ?? ''))
  if (root === 'apis') return answer(resourceList(known.groups, group ?? '', version ?? ''))
  if (root === 'openapi' && (group === 'v2' || group === 'v3'))
    return serveSchemas(deps, { parts, path, query }, known, exchange)
  throw noSuchResource()
}

async function knownTo({ members, discovery }: DocumentDependencies, view: View): Promise<Known> {
  const sites = new Map(standingOf(view).flatMap(({ site }) => (site ? [[site.datacenterId, site.slug] as const] : [])))
  const reachable = await members.of([...sites.keys()])
  const silent: string[] = []
  const found = await Promise.all(
    [...sites].map(async ([id, slug]) => {
      const member = reachable.get(id)
      const discovered = member && (await discovery.of(member))
      if (!discovered) silent.push(slug)
      return discovered ? [{ member, discovered }] : []
    }),
  )
  const all = found.flat().sort((a, b) => minorOf(a.discovered) - minorOf(b.discovered))
  return {
    groups: sharedGroups(all.map(({ discovered }) => discovered.groups)),
    references: all.map(({ member, discovered }) => ({ member, version: discovered.version })),
    silent: silent.sort(),
  }
}

const minorOf = ({ version }: Discovered) => Number.parseInt(String(version['minor'] ?? '0'), 10) || 0

async function serveSchemas(
  { upstream }: DocumentDependencies,
  { parts, path, query }: Pick<Document, 'parts' | 'path' | 'query'>,
  { groups, references }: Known,
  { request, response, signal }: Exchange,
): Promise<void> {
  const isIndex = parts.length === 2 && parts[1] === 'v3'
  if (!isIndex && parts[1] === 'v3' && !isServed(groups, parts.slice(2))) throw noSuchResource()
  if (parts.slice(2).join('/') === hostingDocumentName) return answerJson(response, 200, hostingDocument)
  if (references.length === 0) return answerJson(response, 200, isIndex ? { paths: ownIndex } : nothing)
  const accept = isIndex ? 'application/json' : request.headers.accept
  const headers = { ...(accept !== undefined && { accept }) }
  const sent = { method: 'GET', path, query, headers, signal }
  const answer = await firstAnswer(references, async (member) => {
    const found = await upstream.send(member, sent)
    if (!isAway(found.statusCode ?? 502)) return found
    found.destroy()
    throw new Unreachable(`it answered ${found.statusCode}`)
  })
  if (answer.statusCode !== 200) {
    answer.destroy()
    throw noSuchResource()
  }
  if (isIndex) {
    const body = JSON.parse((await bodyOf(answer, indexBytes)).toString('utf8')) as { paths?: Index }
    return answerJson(response, 200, { paths: { ...indexOf(body.paths ?? {}, groups), ...ownIndex } })
  }
  response.writeHead(200, answerHeaders(answer.headers))
  await pipeline(answer, response)
}

/** Of the first that answers: one that is cut off keeps nobody from working at the others. */
async function firstAnswer<T>(references: readonly Reference[], ask: (member: Member) => Promise<T>): Promise<T> {
  for (const { member } of references.slice(0, -1)) {
    try {
      return await ask(member)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
    }
  }
  const { member } = references.at(-1) as Reference
  return reached(member, () => ask(member))
}

const ownIndex = { [hostingDocumentName]: { serverRelativeURL: hostingDocumentUrl } }

type Index = Readonly<Record<string, { readonly serverRelativeURL?: string }>>

const nothing = { swagger: '2.0', info: { title: 'gemeentecloud', version: 'v1' }, paths: {} }

/** Where each document is here, whatever stands before it at the datacenter. */
function indexOf(paths: Index, groups: Groups): object {
  const served = Object.entries(paths).filter(([name]) => isServed(groups, name.split('/')))
  return Object.fromEntries(
    served.map(([name, { serverRelativeURL = '' }]) => {
      const [, query] = serverRelativeURL.split('?')
      return [name, { serverRelativeURL: `/openapi/v3/${name}${query === undefined ? '' : `?${query}`}` }]
    }),
  )
}

function isServed(groups: Groups, parts: readonly string[]): boolean {
  const [root, ...rest] = parts
  if (root === 'api') return rest.length === 1 && groups.has(`/${rest[0]}`)
  return root === 'apis' && rest.length === 2 && groups.has(rest.join('/'))
}
