/** From the name that a person types to the one resource it means. */
import type { Datacenter, Hosting, System } from '../../schemas/index.ts'
import type { Api } from './api.ts'
import { CliError, exitCode, usage } from './errors.ts'
import { line } from './text.ts'

const isId = (prefix: string, text: string) => new RegExp(`^${prefix}_[0-9a-z]{26}$`).test(text)

const notFound = (what: string, name: string, list: string) =>
  new CliError(exitCode.notFound, line`There is no ${what} ${name}`, [`\`gemeentecloud ${list}\` shows what there is.`])

/** By slug or id. */
export async function findDatacenter(api: Api, name: string): Promise<Datacenter> {
  if (isId('dc', name)) return api.get(`/datacenters/${name}`)
  const [found] = (await api.get<{ items: Datacenter[] }>('/datacenters', { slug: name })).items
  if (!found) throw notFound('datacenter', name, 'datacenter list')
  return found
}

/** By slug or id, among the systems that the token may see. */
export async function findSystem(api: Api, name: string): Promise<System> {
  if (isId('sys', name)) return api.get(`/systems/${name}`)
  const { items } = await api.get<{ items: System[] }>('/systems', { slug: name })
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
  const found = await api.list<Hosting>('/hostings', { name })
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

const severalFound = (what: string, name: string, ids: readonly string[]) =>
  usage(
    line`${what} ${name} is not one but ${ids.length}; say which by its id`,
    ids.map((id) => line`  ${id}`),
  )
