/** The gateway, over tunnel and agent, beside the API server behind it, in turns in one run; and what idle clients weigh. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { loadavg } from 'node:os'
import { connect, type TLSSocket } from 'node:tls'
import { missingForClusters } from '../clusters/start.ts'
import type { GatewayFarSide, Way, Weighed } from './gateway-far-side.ts'
import { drained, spread } from './tunnel.ts'

const clientCounts = [1, 16]
const rounds = 7
const changes = 1_000
const crowd = 1_000
const atOnce = 50
const space = '/api/v1/namespaces/open-zaak'
const object = `${space}/configmaps/gemeten`

type Ratio = readonly [number, number, number]

interface Requests {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

interface Compared {
  readonly clients: number
  readonly direct: Requests
  readonly gateway: Requests
  /** Gateway to direct, of two measurements one right after the other: the middle, the least and the most of the rounds. */
  readonly ratio: Ratio
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  /** Of the desk alone, for one request. */
  readonly deskCpuMicros: number
}

export interface GatewayFigures {
  /** Of one minute, before and after: with more than the machine has cores, others measured along. */
  readonly load: readonly number[]
  readonly requests: readonly Compared[]
  readonly watch: { readonly directPerSecond: number; readonly gatewayPerSecond: number; readonly ratio: Ratio }
  /** KiB at the desk, for each of a thousand. */
  readonly idleConnection: { readonly heap: number; readonly resident: number }
  /** With its connection and its pipe. */
  readonly idleWatch: { readonly heap: number; readonly resident: number }
}

/** The reason when this machine has no Kubernetes programs. */
export async function benchGateway(seconds: number): Promise<GatewayFigures | string> {
  const missing = await missingForClusters()
  if (missing !== undefined) return missing
  const before = loadavg()[0] ?? 0
  const far = fork(new URL('./gateway-far-side.ts', import.meta.url), { execArgv: ['--expose-gc'] })
  try {
    const [{ gateway, direct }] = (await once(far, 'message')) as [GatewayFarSide]
    const data = { waarde: 'x'.repeat(700) }
    await call(direct, 'POST', `${space}/configmaps`, { metadata: { name: 'gemeten' }, data })
    const requests: Compared[] = []
    const ms = (seconds * 1_000) / (rounds * clientCounts.length * 2)
    for (const clients of clientCounts) requests.push(await compare(clients, direct, gateway, far, ms))
    const watch = await compareWatches(direct, gateway)
    const idle = await weighCrowd(gateway, far)
    return { load: [before, loadavg()[0] ?? 0].map(rounded), requests, watch, ...idle }
  } finally {
    const ended = once(far, 'exit')
    far.send('stop')
    await ended
  }
}

const rounded = (value: number) => Number(value.toPrecision(3))

const weigh = async (far: ChildProcess): Promise<Weighed> => {
  far.send('weigh')
  return (await once(far, 'message'))[0]
}

/** Microseconds that the desk has used. Weighing it would collect garbage, which would count and slow what comes next. */
const cpuOf = async (far: ChildProcess): Promise<number> => {
  far.send('cpu')
  return (await once(far, 'message'))[0]
}

async function call({ url, ca, token }: Way, method: string, path: string, body: object): Promise<void> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  }
  const sent = request(`${url}${path}`, { method, ca, headers, agent: false })
  sent.write(JSON.stringify(body))
  const [response] = await Promise.all([once(sent, 'response'), drained(sent)])
  if (response[0].statusCode >= 300) throw new Error(`${method} ${path} answered ${response[0].statusCode}`)
}

async function compare(clients: number, direct: Way, gateway: Way, far: ChildProcess, ms: number): Promise<Compared> {
  const measured: { readonly direct: Requests; readonly gateway: Requests }[] = []
  let cpu = 0
  let count = 0
  const kept = { direct: keptTo(direct), gateway: keptTo(gateway) }
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const alone = await measure(clients, direct, kept.direct, ms)
    const start = await cpuOf(far)
    const through = await measure(clients, gateway, kept.gateway, ms)
    if (round === 0) continue
    cpu += (await cpuOf(far)) - start
    count += through.count
    measured.push({ direct: alone, gateway: through })
  }
  for (const agent of Object.values(kept)) agent.destroy()
  const of = (way: 'direct' | 'gateway'): Requests => {
    const figure = (name: keyof Requests) => spread(measured.map((round) => round[way][name]))[0]
    return { perSecond: figure('perSecond'), p50Ms: figure('p50Ms'), p99Ms: figure('p99Ms') }
  }
  const added = (name: keyof Requests) => spread(measured.map((round) => round.gateway[name] - round.direct[name]))[0]
  return {
    clients,
    direct: of('direct'),
    gateway: of('gateway'),
    ratio: spread(measured.map((round) => round.gateway.perSecond / round.direct.perSecond)),
    addedP50Ms: added('p50Ms'),
    addedP99Ms: added('p99Ms'),
    deskCpuMicros: Math.round(cpu / count),
  }
}

const keptTo = ({ ca }: Way) => new Agent({ keepAlive: true, ca })

async function measure(
  clients: number,
  { url, token }: Way,
  agent: Agent,
  ms: number,
): Promise<Requests & { readonly count: number }> {
  const delays: number[] = []
  const started = performance.now()
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' }
  const client = async () => {
    for (let from = started; from < started + ms; ) {
      from = performance.now()
      await drained(request(`${url}${object}`, { agent, headers }))
      delays.push(performance.now() - from)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - started) / 1_000
  delays.sort((a, b) => a - b)
  const at = (share: number) => delays[Math.floor(delays.length * share)] ?? Number.NaN
  return { perSecond: delays.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), count: delays.length }
}

/** What a watch gives that begins a thousand changes ago. */
async function compareWatches(direct: Way, gateway: Way): Promise<GatewayFigures['watch']> {
  const from = { direct: await versionNow(direct), gateway: await versionNow(gateway) }
  for (let n = 0; n < changes; n++) await call(direct, 'PATCH', object, { data: { nummer: String(n) } })
  const measured: [number, number][] = []
  for (let round = 0; round <= rounds; round++) {
    const pair: [number, number] = [await speedOf(direct, from.direct), await speedOf(gateway, from.gateway)]
    if (round > 0) measured.push(pair)
  }
  return {
    directPerSecond: Math.round(spread(measured.map(([one]) => one))[0]),
    gatewayPerSecond: Math.round(spread(measured.map(([, other]) => other))[0]),
    ratio: spread(measured.map(([one, other]) => other / one)),
  }
}

async function versionNow({ url, ca, token }: Way): Promise<string> {
  const sent = request(`${url}${space}/configmaps`, { ca, agent: false, headers: { authorization: `Bearer ${token}` } })
  sent.end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return JSON.parse(text).metadata.resourceVersion
}

/** Events a second, with the beginning of the watch. */
async function speedOf({ url, ca, token }: Way, version: string): Promise<number> {
  const started = performance.now()
  const path = `${space}/configmaps?watch=true&resourceVersion=${version}`
  const sent = request(`${url}${path}`, { ca, agent: false, headers: { authorization: `Bearer ${token}` } })
  sent.on('error', () => undefined).end()
  const [response] = await once(sent, 'response')
  let events = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === 10) events += 1
    if (events >= changes) break
  }
  if (events < changes) throw new Error(`the watch ended after ${events} events`)
  return changes / ((performance.now() - started) / 1_000)
}

async function weighCrowd(
  gateway: Way,
  far: ChildProcess,
): Promise<Pick<GatewayFigures, 'idleConnection' | 'idleWatch'>> {
  const idle = '/api/v1/namespaces'
  const watching = `${space}/configmaps?watch=true&resourceVersion=${await versionNow(gateway)}`
  const each = (before: Weighed, after: Weighed) => ({
    heap: rounded((after.heap - before.heap) / crowd),
    resident: rounded((after.resident - before.resident) / crowd),
  })
  // The first bring the code into memory; none is ended before the last is weighed, whose room the next would fill.
  const first = await openMany(gateway, idle)
  const empty = await weigh(far)
  const second = await openMany(gateway, idle)
  const connected = await weigh(far)
  const watches = await openMany(gateway, watching)
  const watched = await weigh(far)
  for (const socket of [...first, ...second, ...watches]) socket.destroy()
  return { idleConnection: each(empty, connected), idleWatch: each(connected, watched) }
}

/** A connection each, on which one request has been answered, or has begun to be. */
async function openMany({ url, ca, token }: Way, path: string): Promise<TLSSocket[]> {
  const { hostname: host, port } = new URL(url)
  const head = `GET ${path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${token}\r\n\r\n`
  const open = async () => {
    const socket = connect({ host, port: Number(port), ca }).on('error', () => undefined)
    socket.write(head)
    const [first] = (await once(socket, 'data')) as [Buffer]
    if (!first.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(first.toString('utf8'))
    return socket
  }
  const sockets: TLSSocket[] = []
  while (sockets.length < crowd) sockets.push(...(await Promise.all(Array.from({ length: atOnce }, open))))
  return sockets
}
