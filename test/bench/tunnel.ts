/** The tunnel beside TLS without it, in turns in one run: requests, delay, processor, bytes, and what idle connections weigh. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { loadavg } from 'node:os'
import { createPipeAgent } from '../../services/shared/http/pipe-agent.ts'
import { startDesk } from '../support/tunnel.ts'
import { until } from '../support/until.ts'
import type { CrowdFigures } from './tunnel-crowd.ts'
import { type FarSide, startFarSide } from './tunnel-far-side.ts'

const datacenterId = 'dc_bench'
const clientCounts = [1, 16]
const streamMiB = 64
const rounds = 7

interface Requests {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of both processes together, for one request. */
  readonly cpuMicros: number
}

interface Compared {
  readonly clients: number
  readonly direct: Requests
  readonly tunnel: Requests
  /** Tunnel to direct, of two measurements one right after the other: the middle, the least and the most of the rounds. */
  readonly ratio: readonly [number, number, number]
  readonly cpuRatio: readonly [number, number, number]
  readonly addedP50Ms: number
  readonly addedP99Ms: number
}

export interface TunnelFigures {
  /** Of one minute, before and after: with more than the machine has cores, others measured along. */
  readonly load: readonly number[]
  readonly requests: readonly Compared[]
  readonly bytes: {
    readonly directMb: number
    readonly tunnelMb: number
    readonly ratio: readonly [number, number, number]
  }
  readonly idle: CrowdFigures
}

type Send = (path: string) => ClientRequest

export async function benchTunnel(seconds: number): Promise<TunnelFigures> {
  const before = loadavg()[0] ?? 0
  const idle = await crowd()
  const desk = await startDesk()
  const far = await startFarSide(desk, [datacenterId])
  await until(() => desk.server.connections().length === 1, 'the agent is connected')
  const tls = new TlsAgent({ keepAlive: true, ca: desk.authority.cert })
  const pipes = createPipeAgent((signal) => desk.server.open(datacenterId, signal), { keepAlive: true })
  const direct: Send = (path) => tlsRequest(`https://127.0.0.1:${far.port}${path}`, { agent: tls })
  const tunnel: Send = (path) => request(`http://tunnel${path}`, { agent: pipes })
  try {
    const ms = (seconds * 1_000) / (rounds * clientCounts.length * 2)
    const requests: Compared[] = []
    for (const clients of clientCounts) requests.push(await compare(clients, direct, tunnel, far, ms))
    const bytes = await compareBytes(direct, tunnel)
    return { load: [before, loadavg()[0] ?? 0].map(rounded), requests, bytes, idle }
  } finally {
    tls.destroy()
    pipes.destroy()
    await desk.server.close()
    far.process.kill()
  }
}

async function crowd(): Promise<CrowdFigures> {
  const child = fork(new URL('./tunnel-crowd.ts', import.meta.url), { execArgv: ['--expose-gc'] })
  const [figures] = await once(child, 'message')
  return figures
}

async function compare(clients: number, direct: Send, tunnel: Send, far: FarSide, ms: number): Promise<Compared> {
  const measured: { readonly direct: Requests; readonly tunnel: Requests }[] = []
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    measured.push({
      direct: await measure(clients, direct, far, ms),
      tunnel: await measure(clients, tunnel, far, ms),
    })
  }
  const kept = measured.slice(1)
  const of = (way: 'direct' | 'tunnel') => {
    const figure = (name: keyof Requests) => spread(kept.map((round) => round[way][name]))[0]
    const [perSecond, p50Ms] = [figure('perSecond'), figure('p50Ms')]
    return { perSecond, p50Ms, p99Ms: figure('p99Ms'), cpuMicros: figure('cpuMicros') }
  }
  const between = (name: keyof Requests) => spread(kept.map((round) => round.tunnel[name] / round.direct[name]))
  const added = (name: keyof Requests) => spread(kept.map((round) => round.tunnel[name] - round.direct[name]))[0]
  return {
    clients,
    direct: of('direct'),
    tunnel: of('tunnel'),
    ratio: between('perSecond'),
    cpuRatio: between('cpuMicros'),
    addedP50Ms: added('p50Ms'),
    addedP99Ms: added('p99Ms'),
  }
}

async function measure(clients: number, send: Send, far: FarSide, ms: number): Promise<Requests> {
  const delays: number[] = []
  const cpuBefore = await cpuOf(far)
  const started = performance.now()
  const client = async () => {
    for (let from = started; from < started + ms; ) {
      from = performance.now()
      await drained(send('/'))
      delays.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - started) / 1_000
  const cpuMicros = ((await cpuOf(far)) - cpuBefore) / delays.length
  delays.sort((a, b) => a - b)
  const at = (share: number) => delays[Math.floor(delays.length * share)] ?? Number.NaN
  return { perSecond: delays.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), cpuMicros }
}

/** Microseconds that both processes have used. */
async function cpuOf({ process: far }: FarSide): Promise<number> {
  far.send('cpu')
  const [theirs] = await once(far, 'message')
  const { user, system } = process.cpuUsage()
  return theirs + user + system
}

async function compareBytes(direct: Send, tunnel: Send): Promise<TunnelFigures['bytes']> {
  const speed = async (send: Send) => {
    const started = performance.now()
    await drained(send(`/${streamMiB}`))
    return (streamMiB * 1.048576) / ((performance.now() - started) / 1_000)
  }
  const measured: [number, number][] = []
  for (let round = 0; round < rounds; round++) measured.push([await speed(direct), await speed(tunnel)])
  const [directMb] = spread(measured.map(([one]) => one))
  const [tunnelMb] = spread(measured.map(([, other]) => other))
  return { directMb, tunnelMb, ratio: spread(measured.map(([one, other]) => other / one)) }
}

export async function drained(sent: ClientRequest): Promise<void> {
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
}

/** The middle, the least and the most. */
export function spread(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number) => rounded(sorted[index] ?? Number.NaN)
  return [at(Math.floor(sorted.length / 2)), at(0), at(sorted.length - 1)]
}

function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
