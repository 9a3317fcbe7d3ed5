/** What a caller asks about himself: who he is, and what he may do, which each datacenter says for its own namespaces. */

import type { Role } from '../../schemas/index.ts'
import type { Principal } from '../shared/http/principal.ts'
import type { Authenticate } from '../shared/identity/authenticate.ts'
import { lookedAt } from './catalogue.ts'
import type { Space, View } from './directory.ts'
import { answerJson, type Exchange, requestJson } from './exchange.ts'
import { readStatus } from './fanout/page.ts'
import { reached } from './forward.ts'
import { group as requestGroup, resource as requests } from './hosting-requests/kind.ts'
import type { Members } from './members.ts'
import { standingOf } from './route.ts'
import { Refusal, refusal, unavailable } from './status.ts'
import type { Resource } from './target.ts'
import { bodyOf, groupOf, type Upstream, userOf } from './upstream.ts'

export interface ReviewDependencies {
  readonly upstream: Upstream
  readonly members: Members
  readonly authenticate: Authenticate
}

type Json = Record<string, unknown>

const answerBytes = 2 ** 20
/** It is sent to as many places as there are namespaces to ask about. */
const largestReview = 64 * 1024
const looks = ['get', 'list', 'watch']
/** Whether something may be done everywhere is asked in so many places at most; the roles of all are the same. */
const mostPlaces = 20

export async function serveReview(
  deps: ReviewDependencies,
  target: Resource,
  view: View,
  exchange: Exchange,
): Promise<void> {
  const review = await requestJson(exchange, largestReview)
  const { principal, response } = exchange
  const kind = kindOf(target.resource)
  if (review['kind'] !== undefined && review['kind'] !== kind) throw refusal(400, `the body is no ${kind}`)
  const spec = (review['spec'] ?? {}) as Json
  const answer = (status: object) => answerJson(response, 201, { ...review, status })
  switch (target.resource) {
    case 'selfsubjectreviews':
      return answer({ userInfo: userInfoOf(principal) })
    case 'tokenreviews':
      return answer(await tokenStatus(deps.authenticate, principal, spec))
    case 'selfsubjectrulesreviews':
      return answer(await rulesStatus(deps, target, view, review, exchange))
    default:
      return answer(await accessStatus(deps, target, view, review, exchange))
  }
}

const kindOf = (resource: string) =>
  resource === 'selfsubjectaccessreviews'
    ? 'SelfSubjectAccessReview'
    : resource === 'selfsubjectrulesreviews'
      ? 'SelfSubjectRulesReview'
      : resource === 'selfsubjectreviews'
        ? 'SelfSubjectReview'
        : 'TokenReview'

const userInfoOf = (principal: Principal) => ({
  username: userOf(principal),
  groups: [groupOf(principal), 'system:authenticated'],
})

/** For the caller's own token alone: whose another is, nobody learns here. */
async function tokenStatus(authenticate: Authenticate, principal: Principal, spec: Json): Promise<object> {
  const token = typeof spec['token'] === 'string' ? spec['token'] : ''
  const found = await authenticate(`Bearer ${token}`)
  if (found?.tokenId !== principal.tokenId) return { authenticated: false, user: {}, error: 'not a token of yours' }
  return { authenticated: true, user: userInfoOf(principal) }
}

const requestVerbs = (role: Role) => (role === 'consumer' ? [...looks, 'create', 'delete', 'patch', 'update'] : looks)

async function accessStatus(
  deps: ReviewDependencies,
  target: Resource,
  view: View,
  review: Json,
  exchange: Exchange,
): Promise<object> {
  const spec = (review['spec'] ?? {}) as Json
  const asked = spec['resourceAttributes'] as Json | undefined
  if (!asked) return nonResourceStatus(spec)
  const {
    namespace = '',
    verb = '',
    group = '',
    version = 'v1',
    resource = '',
    name = '',
  } = asked as Record<string, string>
  if (group === requestGroup && resource === requests) {
    if (requestVerbs(exchange.principal.role).includes(verb)) return { allowed: true, reason: 'of your own party' }
    return { allowed: false, reason: 'a consumer writes them, and ends them one by one' }
  }
  if (namespace !== '') {
    const space = view.spaces.get(namespace)
    if (!space?.site || !standingOf(view).includes(space)) return { allowed: false, reason: 'no such namespace' }
    return statusFrom(deps, target, review, space, exchange)
  }
  const shown = lookedAt.has(`${group}/${version === '*' || version === '' ? 'v1' : version}/${resource}`)
  if (shown || (group === '' && resource === 'namespaces')) {
    if (looks.includes(verb)) return { allowed: true, reason: 'seen through the gateway' }
    return { allowed: false, reason: 'not changed through the gateway' }
  }
  if (name !== '' || !['list', 'watch'].includes(verb)) return { allowed: false, reason: 'only within your namespaces' }
  return everywhere(deps, target, review, view, exchange)
}

/** A list over all namespaces is one in each: allowed when it is in every one. */
async function everywhere(
  deps: ReviewDependencies,
  target: Resource,
  review: Json,
  view: View,
  exchange: Exchange,
): Promise<object> {
  const spaces = standingOf(view).slice(0, mostPlaces)
  if (spaces.length === 0) return { allowed: false, reason: 'you have no namespaces' }
  const spec = review['spec'] as Json
  const answers = await Promise.all(
    spaces.map((space) => {
      const resourceAttributes = { ...(spec['resourceAttributes'] as Json), namespace: space.name }
      return statusFrom(deps, target, { ...review, spec: { ...spec, resourceAttributes } }, space, exchange)
    }),
  )
  return answers.find((answer) => answer['allowed'] !== true) ?? answers[0] ?? { allowed: false }
}

function nonResourceStatus(spec: Json): object {
  const { path = '', verb = '' } = (spec['nonResourceAttributes'] ?? {}) as Record<string, string>
  const allowed = verb === 'get' && /^\/(api|apis|openapi|version|livez|readyz|healthz)(\/|$)/.test(path)
  return { allowed, ...(!allowed && { reason: 'not served through the gateway' }) }
}

async function rulesStatus(
  deps: ReviewDependencies,
  target: Resource,
  view: View,
  review: Json,
  exchange: Exchange,
): Promise<object> {
  const namespace = String((review['spec'] as Json | undefined)?.['namespace'] ?? '')
  const { principal } = exchange
  const own = {
    resourceRules: [
      {
        verbs: ['create'],
        apiGroups: ['authorization.k8s.io'],
        resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      },
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
      { verbs: looks, apiGroups: [''], resources: ['namespaces', 'nodes'] },
      { verbs: requestVerbs(principal.role), apiGroups: [requestGroup], resources: [requests] },
      { verbs: looks, apiGroups: ['storage.k8s.io'], resources: ['storageclasses'] },
    ],
    nonResourceRules: [
      { verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi/*', '/version'] },
    ],
    incomplete: false,
  }
  const space = view.spaces.get(namespace)
  if (!space?.site || !standingOf(view).includes(space)) return own
  const found = await statusFrom(deps, target, review, space, exchange)
  const rules = (Array.isArray(found['resourceRules']) ? found['resourceRules'] : []) as Json[]
  return {
    ...own,
    // What a datacenter lets everybody ask of itself is answered here.
    resourceRules: [
      ...own.resourceRules,
      ...rules.filter(({ apiGroups }) => !String(apiGroups).endsWith('.k8s.io') || !isReview(apiGroups)),
    ],
    incomplete: found['incomplete'] === true,
  }
}

const isReview = (groups: unknown) => /^(authorization|authentication)\.k8s\.io$/.test(String(groups))

/** What the datacenter of this namespace says. */
async function statusFrom(
  { members, upstream }: ReviewDependencies,
  target: Resource,
  review: Json,
  { site }: Space,
  { principal, signal }: Exchange,
): Promise<Json> {
  const member = site && (await members.of([site.datacenterId])).get(site.datacenterId)
  if (!member) throw unavailable(`datacenter ${site?.slug} cannot be reached`)
  const answer = await reached(member, () =>
    upstream.send(member, {
      method: 'POST',
      path: target.path,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(review)),
      as: principal,
      signal,
    }),
  )
  const text = (await bodyOf(answer, answerBytes)).toString('utf8')
  if (answer.statusCode !== 201) throw new Refusal(readStatus(answer.statusCode ?? 502, text))
  return (JSON.parse(text) as { status?: Json }).status ?? {}
}
