/** How long the leader of a large federation needs to read it from the store when its term starts, and what that weighs. */
import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pino from 'pino'
import { openStore } from '../../services/broker/open-store.ts'
import { loadPicture } from '../../services/broker/scheduling/world.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import { temporaryFolder } from '../support/folder.ts'
import { seedHeldRows } from '../support/held-rows.ts'

export interface LoadFigures {
  readonly datacenters: number
  readonly nodes: number
  readonly hostings: number
  /** Until the picture is whole. */
  readonly seconds: number
  /** Of the process that reads, its most; PostgreSQL has its own. */
  readonly peakResidentMiB: number
  readonly heapMiB: number
  readonly cpuSeconds: number
}

const log = pino({ level: 'warn' })

/** Each hosting has a cold fallback; the picture is read by a process of its own, as a broker that becomes leader does. */
export async function benchLoad(hostings = 1_000_000, datacenters = 10_000, nodesEach = 100): Promise<LoadFigures> {
  const { path: folder, remove } = temporaryFolder('load')
  const postgres = await startEmbedded({ dataDirectory: folder, log })
  try {
    const database = await openStore(postgres.url)
    await seedHeldRows(database, { hostings, datacenters, nodesEach })
    await database.close()
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', fileURLToPath(import.meta.url), postgres.url],
      { maxBuffer: 2 ** 20 },
    )
    return { datacenters, nodes: datacenters * nodesEach, ...JSON.parse(stdout) }
  } finally {
    await postgres.stop()
    remove()
  }
}

async function measure(url: string): Promise<Omit<LoadFigures, 'datacenters' | 'nodes'>> {
  const database = openDatabase({ url })
  const started = performance.now()
  const { world } = await loadPicture({ database, log }, Date.now())
  const seconds = Math.round((performance.now() - started) / 100) / 10
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  await database.close()
  return {
    hostings: world.hostings.size,
    seconds,
    peakResidentMiB: Math.round(maxRSS / 1024),
    heapMiB: Math.round((heapUsed + arrayBuffers) / 2 ** 20),
    cpuSeconds: Math.round((userCPUTime + systemCPUTime) / 1e5) / 10,
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.stdout.write(JSON.stringify(await measure(process.argv[2] ?? '')))
