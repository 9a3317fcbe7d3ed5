/** From the name that a person types to the one resource it means. */
import type { Datacenter, Hosting, Plan, System } from '../../schemas/index.ts'
import type { Api } from './api.ts'
import { CliError, exitCode, usage } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { line } from './text.ts'

const isId = (prefix: string, text: string) => new RegExp(`^${prefix}_[0-9a-z]{26}$`).test(text)

/** With the names that come near to it. */
function notFound(what: string, name: string, known: readonly string[], hint: string): CliError {
  const meant = didYouMean(name, known)
  const hints = [...(meant ? [line`${meant}`] : []), hint]
  return new CliError(exitCode.notFound, line`There is no ${what} ${name}`, hints)
}

const datacenterNames = async (api: Api) => (await api.list<Datacenter>('/datacenters')).map(({ slug }) => slug)
const hostingNames = async (api: Api) => (await api.list<Hosting>('/hostings')).map(({ name }) => name)

/** What the API takes as a filter; nothing has another name, so that need not be asked. */
const couldBeName = (text: string) => /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}$/.test(text)

/** By slug or id. */
export async function findDatacenter(api: Api, name: string): Promise<Datacenter> {
  if (isId('dc', name)) return api.get(`/datacenters/${name}`)
  const asked = couldBeName(name) ? await api.get<{ items: Datacenter[] }>('/datacenters', { slug: name }) : undefined
  const found = asked?.items[0]
  if (!found)
    throw notFound(
      'datacenter',
      name,
      await datacenterNames(api),
      '`gemeentecloud datacenter list` shows what there is.',
    )
  return found
}

/** By slug or id, among the systems that the token may see. */
export async function findSystem(api: Api, name: string): Promise<System> {
  if (isId('sys', name)) return api.get(`/systems/${name}`)
  const items = couldBeName(name) ? await api.list<System>('/systems', { slug: name }) : []
  const [found] = items
  if (!found) {
    const known = (await api.list<System>('/systems')).map(({ slug }) => slug)
    throw notFound(
      'system',
      name,
      known,
      '`gemeentecloud system list` shows your systems, `gemeentecloud system register` adds one.',
    )
  }
  if (items.length > 1)
    throw severalFound(
      'system',
      name,
      items.map(({ id }) => id),
    )
  return found
}

/** By name or id; of several hostings with one name the one that has not ended, else the last. */
export async function findHosting(api: Api, name: string): Promise<Hosting> {
  if (isId('hst', name)) return api.get(`/hostings/${name}`)
  const found = couldBeName(name) ? await api.list<Hosting>('/hostings', { name }) : []
  const standing = found.filter(({ state }) => state !== 'ended')
  if (standing.length > 1)
    throw severalFound(
      'hosting',
      name,
      standing.map(({ id }) => id),
    )
  const hosting = standing[0] ?? found.at(-1)
  if (!hosting)
    throw notFound('hosting', name, await hostingNames(api), '`gemeentecloud hosting list` shows what there is.')
  return hosting
}

/** By id, or by how it begins where that tells it from the others: `pln_01k…`, as a list that is cut off shows it. */
export async function findPlan(api: Api, text: string): Promise<Plan> {
  if (isId('pln', text)) return api.get(`/plans/${text}`)
  const beginning = text.replace(/(…|\.\.\.)$/, '')
  const plans = await api.list<Plan>('/plans', {})
  const found = beginning.startsWith('pln_') ? plans.filter(({ id }) => id.startsWith(beginning)) : []
  const ids = found.map(({ id }) => id)
  if (found.length > 1) throw severalFound('plan', text, ids)
  if (!found[0]) throw notFound('plan', text, [], '`gemeentecloud plan list` shows what there is.')
  return found[0]
}

/** The id behind a datacenter's slug or a hosting's name; an id stays as it is, for none of them has a `_`. */
export async function findSubject(api: Api, name: string): Promise<string> {
  if (name.includes('_')) return name
  const [datacenter] = (await api.get<{ items: Datacenter[] }>('/datacenters', { slug: name })).items
  if (datacenter) return datacenter.id
  const hosting = (await api.list<Hosting>('/hostings', { name })).at(-1)
  if (!hosting) {
    const known = [...(await datacenterNames(api)), ...(await hostingNames(api))]
    throw notFound('datacenter or hosting', name, known, '`gemeentecloud hosting list` shows what there is.')
  }
  return hosting.id
}

const severalFound = (what: string, name: string, ids: readonly string[]) =>
  usage(
    line`${what} ${name} is not one but ${ids.length}; say which by its id`,
    ids.map((id) => line`  ${id}`),
  )

/** What to say when no datacenter lies in one of these regions, which is no mistake but hardly ever meant. */
export async function emptyRegions(api: Api, regions: readonly string[]): Promise<string | undefined> {
  const known = [...new Set((await api.list<Datacenter>('/datacenters')).map(({ region }) => region))].sort()
  const empty = regions.filter((region) => !known.includes(region))
  const meant = empty.map((region) => didYouMean(region, known)).find((text) => text !== undefined)
  if (empty.length === 0) return undefined
  return line`No datacenter lies in ${empty.join(', ')}. ${meant ?? `There are some in ${known.join(', ') || 'no region'}.`}`
}
