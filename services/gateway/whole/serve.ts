/** Nodes and storage classes, to look at: of the clusters where the caller has something, asked in our own name, as of one. */
import type { Space } from '../directory.ts'
import { answerJson, type Exchange, warningHeader } from '../exchange.ts'
import { spreadWhole } from '../fanout/cells.ts'
import { withVersion } from '../fanout/watch.ts'
import type { Member } from '../members.ts'
import { ask, type Found, type SpreadDependencies, serveList, serveWatch, typeOf } from '../spread.ts'
import { noneAnswers, refusal } from '../status.ts'
import type { Resource } from '../target.ts'
import { classShape, nodeAt, nodeShape } from './shape.ts'

/** In pages, what several have could not be shown once; and there are few. */
const ofPages = ['limit', 'continue']
const byName = /^metadata\.name==?([^=].*)$/

export async function serveWhole(
  deps: SpreadDependencies,
  asked: Resource,
  spaces: readonly Space[],
  exchange: Exchange,
): Promise<void> {
  // It becomes a part of a selector.
  if (asked.name !== undefined && !/^[a-z0-9][a-z0-9.-]*$/.test(asked.name)) throw noSuchObject(asked)
  const sites = new Map(spaces.flatMap(({ site }) => (site ? [[site.datacenterId, site.slug] as const] : [])))
  const reachable = await deps.members.of([...sites.keys()])
  const absent = [...sites].flatMap(([id, slug]) => (reachable.has(id) ? [] : [slug])).sort()
  const isNode = asked.resource === 'nodes'
  const info = {
    resource: asked.resource,
    kind: isNode ? 'Node' : 'StorageClass',
    namespaced: false,
    verbs: [],
    entry: {},
  }
  const { target, members } = (isNode ? ofNodes : ofClasses)(asked, [...reachable.values()])
  if (isNode && members.length === 0 && absent.includes(nodeAt(asked.name ?? '')?.slug ?? '')) throw noneAnswers(absent)
  const found = { spread: spreadWhole(target, members, absent), info, shape: isNode ? nodeShape : classShape }
  if (target.verb === 'watch') return serveWatch(deps, target, found, exchange, spaces)
  if (target.verb === 'list') return serveList(deps, target, found, exchange)
  await serveOne(deps, target, found, exchange)
}

interface Narrowed {
  readonly target: Resource
  readonly members: readonly Member[]
}

/** Who names a node names its datacenter. Those whose owner hides them are not asked. */
function ofNodes(asked: Resource, reachable: readonly Member[]): Narrowed {
  const members = reachable.filter(({ nodesVisible }) => nodesVisible)
  const query = new URLSearchParams(asked.query)
  const selected = (query.get('fieldSelector') ?? '').split(',').filter((text) => text !== '')
  if (selected.some((text) => /^metadata\.name(!=|$)/.test(text)))
    throw refusal(400, 'nodes are selected by metadata.name=…, or by other fields')
  const names = selected.flatMap((text) => byName.exec(text)?.[1] ?? [])
  if (asked.name !== undefined) names.push(asked.name)
  const [name] = names
  if (name === undefined) return { target: asked, members }
  const at = nodeAt(name)
  const others = selected.filter((text) => !byName.test(text))
  query.set('fieldSelector', [`metadata.name=${at?.node}`, ...others].join(','))
  const isOne = names.every((each) => each === name)
  return { target: { ...asked, query }, members: members.filter(({ slug }) => isOne && slug === at?.slug) }
}

function ofClasses(asked: Resource, members: readonly Member[]): Narrowed {
  const query = new URLSearchParams(asked.query)
  for (const each of ofPages) query.delete(each)
  if (asked.name !== undefined) query.set('fieldSelector', `metadata.name=${asked.name}`)
  return { target: { ...asked, query }, members }
}

async function serveOne(deps: SpreadDependencies, target: Resource, found: Found, exchange: Exchange): Promise<void> {
  const listed = await ask(deps, target, found, exchange)
  const { document, warnings } = listed
  const isTable = document['kind'] === 'Table'
  const [item] = (document[isTable ? 'rows' : 'items'] ?? []) as Record<string, unknown>[]
  if (item === undefined) throw noSuchObject(target)
  const headers = warningHeader(warnings)
  if (isTable) return answerJson(exchange.response, 200, document, headers)
  // Who watches from here begins in each of them.
  const version = String((document['metadata'] as Record<string, unknown>)['resourceVersion'])
  answerJson(exchange.response, 200, withVersion({ ...typeOf(listed, target, found.info), ...item }, version), headers)
}

const noSuchObject = ({ resource, group, name = '' }: Resource) =>
  refusal(404, `${resource}${group === '' ? '' : `.${group}`} "${name}" not found`, {
    details: { name, kind: resource, ...(group !== '' && { group }) },
  })
