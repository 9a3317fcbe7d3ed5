/** From the name that a person types to the one resource it means. */
import type { Datacenter, Hosting, System } from '../../schemas/index.ts'
import type { Api } from './api.ts'
import { CliError, exitCode, usage } from './errors.ts'
import { line } from './text.ts'

const isId = (prefix: string, text: string) => new RegExp(`^${prefix}_[0-9a-z]{26}$`).test(text)

const notFound = (what: string, name: string, list: string) =>
  new CliError(exitCode.notFound, line`There is no ${what} ${name}`, [`\`gemeentecloud ${list}\` shows what there is.`])

/** What the API takes as a filter; nothing has another name, so that need not be asked. */
const couldBeName = (text: string) => /^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}$/.test(text)

/** By slug or id. */
export async function findDatacenter(api: Api, name: string): Promise<Datacenter> {
  if (isId('dc', name)) return api.get(`/datacenters/${name}`)
  const asked = couldBeName(name) ? await api.get<{ items: Datacenter[] }>('/datacenters', { slug: name }) : undefined
  const found = asked?.items[0]
  if (!found) throw notFound('datacenter', name, 'datacenter list')
  return found
}

/** By slug or id, among the systems that the token may see. */
export async function findSystem(api: Api, name: string): Promise<System> {
  if (isId('sys', name)) return api.get(`/systems/${name}`)
  const items = couldBeName(name) ? await api.list<System>('/systems', { slug: name }) : []
  const [found] = items
  if (!found) {
    throw new CliError(exitCode.notFound, line`There is no system ${name}`, [
      '`gemeentecloud system list` shows your systems, `gemeentecloud system register` adds one.',
    ])
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
  if (!hosting) throw notFound('hosting', name, 'hosting list')
  return hosting
}

/** The id behind a datacenter's slug or a hosting's name; an id stays as it is, for none of them has a `_`. */
export async function findSubject(api: Api, name: string): Promise<string> {
  if (name.includes('_')) return name
  const [datacenter] = (await api.get<{ items: Datacenter[] }>('/datacenters', { slug: name })).items
  if (datacenter) return datacenter.id
  const hosting = (await api.list<Hosting>('/hostings', { name })).at(-1)
  if (!hosting) throw notFound('datacenter or hosting', name, 'hosting list')
  return hosting.id
}

const severalFound = (what: string, name: string, ids: readonly string[]) =>
  usage(
    line`${what} ${name} is not one but ${ids.length}; say which by its id`,
    ids.map((id) => line`  ${id}`),
  )
