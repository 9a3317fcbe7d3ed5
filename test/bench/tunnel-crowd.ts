/** What idle connections and pipes weigh at the desk: a process of its own, so that nothing else has grown its memory before. */
import type { Duplex } from 'node:stream'
import { startDesk } from '../support/tunnel.ts'
import { until } from '../support/until.ts'
import { startFarSide } from './tunnel-far-side.ts'

export interface CrowdFigures {
  readonly connections: number
  readonly connectSeconds: number
  readonly pipes: number
  readonly perConnection: Weight
  readonly perPipe: Weight
}

/** KiB at the desk. */
export interface Weight {
  /** Of JavaScript and its buffers: what is really in use. */
  readonly heap: number
  /** Of the process, so with OpenSSL and HTTP/2; what was freed but not given back counts, what fills such room does not. */
  readonly resident: number
}

const [warm, crowd, pipesEach] = [40, 400, 25]

/** The first forty are not counted: they bring the code into memory. */
async function measureCrowd(): Promise<CrowdFigures> {
  const desk = await startDesk()
  const names = (from: number, count: number) => Array.from({ length: count }, (_, index) => `dc_${from + index}`)
  const pipes: Duplex[] = []
  const openTo = async (datacenterIds: readonly string[]) => {
    for (const id of datacenterIds) {
      for (let i = 0; i < pipesEach; i++) pipes.push((await desk.server.open(id)).on('error', () => undefined))
    }
  }
  const first = await startFarSide(desk, names(0, warm))
  await until(() => desk.server.connections().length === warm, 'the first are connected')
  await openTo(names(0, warm))
  const empty = weigh()
  const started = performance.now()
  const second = await startFarSide(desk, names(warm, crowd))
  await until(() => desk.server.connections().length === warm + crowd, `${crowd} more agents are connected`)
  const connectSeconds = rounded((performance.now() - started) / 1_000)
  const connected = weigh()
  const before = pipes.length
  await openTo(names(warm, crowd))
  const open = weigh()
  for (const { process } of [first, second]) process.kill()
  const counted = pipes.length - before
  return {
    connections: crowd,
    connectSeconds,
    pipes: counted,
    perConnection: each(empty, connected, crowd),
    perPipe: each(connected, open, counted),
  }
}

const rounded = (value: number) => Number(value.toPrecision(3))

const each = (before: Weight, after: Weight, count: number): Weight => ({
  heap: rounded((after.heap - before.heap) / count),
  resident: rounded((after.resident - before.resident) / count),
})

function weigh(): Weight {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: (heapUsed + external) / 1_024, resident: rss / 1_024 }
}

process.send?.(await measureCrowd(), () => process.exit(0))
