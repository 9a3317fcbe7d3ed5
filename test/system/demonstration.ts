/** What the tests of the demonstration share: where it keeps its things, and what all of it is. */
import pino from 'pino'
import type { Test } from 'tap'
import type { Datacenter, Hosting } from '../../schemas/index.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { until } from '../clusters/wait.ts'
import { temporaryFolder } from '../support/folder.ts'
import type { RunningBroker } from '../support/process.ts'

const log = pino({ level: 'silent' })
export const datacenters = 41
export const hostings = 18
/** One of them asks for no fallback. */
export const placements = 2 * hostings - 1

/** For the environment: whichever are free. */
export const ports = { PORT: '0', MANAGEMENT_PORT: '0', TUNNEL_PORT: '0', GATEWAY_PORT: '0' }

/** A folder whose broker and PostgreSQL are gone with the test. */
export function dataDirectory(t: Test): string {
  const { path, remove } = temporaryFolder('demonstration')
  t.teardown(async () => {
    await (await startEmbedded({ dataDirectory: path, log })).stop()
    remove()
  })
  return path
}

export async function list<T>({ api, tokens }: RunningBroker, path: string): Promise<T[]> {
  const headers = { authorization: `Bearer ${tokens.loket}` }
  const answer = await fetch(`${api}/api/v1/${path}?limit=500`, { headers })
  return ((await answer.json()) as { items: T[] }).items
}

const tables = ['parties', 'datacenters', 'offers', 'systems', 'hostings', 'placements'] as const

/** The ids of everything the demonstration makes. The store is looked into while its broker runs. */
export async function everything(directory: string): Promise<Record<(typeof tables)[number], string[]>> {
  const store = await startEmbedded({ dataDirectory: directory, log })
  const database = openDatabase({ url: store.url, connections: 1 })
  try {
    const ids = async (table: string) =>
      (await database.query<{ id: string }>(`select id from ${table} order by id`)).map(({ id }) => id)
    const found = await Promise.all(tables.map(async (table) => [table, await ids(table)] as const))
    return Object.fromEntries(found) as Record<(typeof tables)[number], string[]>
  } finally {
    await database.close()
  }
}

/** Waits until each hosting runs where it was placed and is as protected as it asked to be. */
export function settled(broker: RunningBroker): Promise<Hosting[]> {
  return until('all hostings to run', 60_000, async () => {
    const found = await list<Hosting>(broker, 'hostings')
    const fine = found.filter(({ state, fallback, fallbackStatus }) => {
      return state === 'running' && fallbackStatus === (fallback.mode === 'none' ? 'none' : 'ready')
    })
    return fine.length === hostings && found.length === hostings ? found : undefined
  })
}

export async function reachable(broker: RunningBroker): Promise<Datacenter[]> {
  return until('all datacenters to be reachable', 60_000, async () => {
    const found = await list<Datacenter>(broker, 'datacenters')
    const fine = found.filter(({ state, contact }) => state === 'active' && contact === 'reachable')
    return fine.length === datacenters && found.length === datacenters ? found : undefined
  })
}
